using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// The duplicate-request cache: a call that is not idempotent runs once, however often the client sends it. Each entry is running
/// (no reply yet; in the table alone) or answered (in the table and in the list, the oldest first). Bounded by entries, bytes and age;
/// running entries are bounded by the calls that may be in flight.
/// </summary>
/// <remarks>Thread-safe; one lock, held for a look-up or a copy of a few pointers, never while a reply is written.</remarks>
[DebuggerDisplay("Entries = {_table.Count}, Bytes = {_bytes}")]
internal sealed class ReplyCache<TCall>(ReplyCacheOptions options, TimeProvider clock)
    where TCall : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ReplyCacheKey, ReplyCacheEntry<TCall>> _table = []; // _lock
    private readonly ReplyCacheOptions _options = options;
    private readonly TimeProvider _clock = clock;
    private ReplyCacheEntry<TCall>? _oldest; // _lock
    private ReplyCacheEntry<TCall>? _newest; // _lock
    private int _answered; // _lock; entries in the list
    private long _bytes; // _lock; of the replies in the list

    /// <summary>Entries, running ones included.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _table.Count;
        }
    }

    /// <summary>Bytes of the replies remembered.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>Begins a call, or finds it begun.</summary>
    /// <param name="key">The call's identity.</param>
    /// <param name="call">The call; kept if the outcome is <see cref="ReplyCacheOutcome.Follow"/>.</param>
    /// <param name="source">The connection or socket that it came by.</param>
    /// <param name="entry">The entry to end, if the outcome is <see cref="ReplyCacheOutcome.New"/>.</param>
    /// <param name="reply">The reply, if the outcome is <see cref="ReplyCacheOutcome.Answered"/>.</param>
    /// <param name="displaced">An earlier follower that this one takes the place of, to be dropped.</param>
    public ReplyCacheOutcome Begin(
        ReplyCacheKey key, TCall call, object source,
        out ReplyCacheEntry<TCall>? entry, out ReadOnlyMemory<byte> reply, out TCall? displaced)
    {
        entry = null;
        reply = default;
        displaced = null;
        lock (_lock)
        {
            AssertInvariants();
            ForgetOld();
            if (!_table.TryGetValue(key, out ReplyCacheEntry<TCall>? known))
            {
                entry = new ReplyCacheEntry<TCall>(key, source);
                _table.Add(key, entry);
                return ReplyCacheOutcome.New;
            }
            if (known.Reply is { } bytes)
            {
                reply = bytes;
                return ReplyCacheOutcome.Answered;
            }
            if (ReferenceEquals(known.Source, source))
                return ReplyCacheOutcome.Drop;
            displaced = known.Follower;
            known.Follower = call;
            return ReplyCacheOutcome.Follow;
        }
    }

    /// <summary>Ends a running entry: its reply is remembered, or it is forgotten.</summary>
    /// <param name="entry">What <see cref="Begin"/> gave.</param>
    /// <param name="reply">The reply, copied; empty to forget the call, so that sent again it runs again.</param>
    /// <returns>The same call, waiting on another connection to be answered too; null if there is none.</returns>
    public TCall? End(ReplyCacheEntry<TCall> entry, ReadOnlySpan<byte> reply)
    {
        bool remembered = !reply.IsEmpty && _options.MaximumEntries > 0 &&
            reply.Length <= Math.Min(_options.MaximumReplyBytes, _options.MaximumBytes);
        byte[]? copy = remembered ? reply.ToArray() : null;
        lock (_lock)
        {
            AssertInvariants();
            TCall? follower = entry.Follower;
            entry.Follower = null;
            if (copy is null)
            {
                _table.Remove(entry.Key);
                return follower;
            }
            entry.Reply = copy;
            entry.Ended = _clock.GetTimestamp();
            entry.Older = _newest;
            if (_newest is not null)
                _newest.Newer = entry;
            _newest = entry;
            _oldest ??= entry;
            _answered++;
            _bytes += copy.Length;
            while (_answered > _options.MaximumEntries || _bytes > _options.MaximumBytes)
                ForgetOldest();
            return follower;
        }
    }

    private void ForgetOld()
    {
        while (_oldest is { } oldest && _clock.GetElapsedTime(oldest.Ended) >= _options.MaximumAge)
            ForgetOldest();
    }

    private void ForgetOldest()
    {
        ReplyCacheEntry<TCall> oldest = _oldest!;
        _table.Remove(oldest.Key);
        _oldest = oldest.Newer;
        if (_oldest is null)
            _newest = null;
        else
            _oldest.Older = null;
        _answered--;
        _bytes -= oldest.Reply!.Length;
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        Debug.Assert(_lock.IsHeldByCurrentThread);
        Debug.Assert(_answered <= _table.Count);
        Debug.Assert((_oldest is null) == (_answered == 0) && (_newest is null) == (_answered == 0));
        Debug.Assert(_bytes <= _options.MaximumBytes && _bytes >= 0);
    }
}
