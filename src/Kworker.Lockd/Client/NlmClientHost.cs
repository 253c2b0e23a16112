using System.Diagnostics;
using System.Net;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Client;

/// <summary>
/// A server as seen by its client: who holds what there (<c>struct nlm_host</c>). Lives as long as somebody holds a reference: mounts,
/// owners of locks, the reclaimer while it runs. Thread-safe.
/// </summary>
/// <remarks>
/// <para>What is held is written down only in the life of the server in which it was granted: <see cref="_state"/> counts the reboots that
/// we were told of, and a lock that was asked for in another life than it would be written down in is asked for again. While the reclaimer
/// runs nothing is written down or given up (the kernel's <c>h_rwsem</c>), so that what it goes through stays as it is.</para>
/// <para>Three parts: what is held (here); calls (Calling); the reclaimer (Reclaiming).</para>
/// </remarks>
[DebuggerDisplay("{Name,nq}, {_owners.Count} owners")]
internal sealed partial class NlmClientHost
{
    private readonly Lock _lock = new();
    private readonly NlmClient _client;
    private readonly HashSet<NlmClientOwner> _owners = []; // _lock
    private readonly WaitQueue _reclaimed = new(); // woken when _isReclaiming becomes false
    private long _number; // _lock; the last lock's place in the order of granting

    internal NlmClientHost(NlmClient client, string name, NlmServerAddress server)
    {
        _client = client;
        Name = name;
        Server = server;
    }

    /// <summary>What it is called in messages and to the status monitor.</summary>
    public string Name { get; }

    public NlmServerAddress Server { get; }

    public IPAddress Address => Server.Address;

    public NlmClient Client => _client;

    /// <summary>References; guarded by the client's lock.</summary>
    internal int References { get; set; }

    /// <summary>Whether it is monitored. Written by the client's status queue alone.</summary>
    internal bool IsMonitored { get; set; }

    /// <summary>Somebody who locks a file. Holds a reference until it is disposed.</summary>
    /// <param name="fileHandle">The file, as in NFS.</param>
    /// <param name="options">How.</param>
    public NlmClientOwner OpenFile(ReadOnlySpan<byte> fileHandle, NlmOwnerOptions options)
    {
        var owner = new NlmClientOwner(this, fileHandle.ToArray(), _client.NewSvid(), options);
        _client.AddReference(this);
        lock (_lock)
            _owners.Add(owner);
        return owner;
    }

    /// <summary>All that is held, in order of granting.</summary>
    public NlmHeldLock[] Held()
    {
        lock (_lock)
            return [.. _owners.SelectMany(static owner => owner.Locks.All).OrderBy(static held => held.Number)];
    }

    /// <summary>What an owner holds, in order of start.</summary>
    internal NlmHeldLock[] HeldBy(NlmClientOwner owner)
    {
        lock (_lock)
            return [.. owner.Locks.All];
    }

    /// <summary>Whether an owner has lost a lock, and has neither given it up nor taken it anew since.</summary>
    internal bool HasLost(NlmClientOwner owner)
    {
        lock (_lock)
            return owner.Locks.HasLost;
    }

    internal void Forget(NlmClientOwner owner)
    {
        lock (_lock)
            _owners.Remove(owner);
        _client.Release(this);
    }

    /// <summary>Waits while locks are reclaimed; then says which life of the server it is.</summary>
    internal async ValueTask<int> ReclaimedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_lock)
            {
                if (!_isReclaiming)
                    return _state;
            }
            await _reclaimed.WaitEventAsync(
                this, static host => !host.IsReclaiming, Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken);
        }
    }

    /// <summary>Writes down what the server granted, unless it has rebooted since it was asked in life <paramref name="state"/>.</summary>
    internal bool TryRecord(NlmClientOwner owner, LockKind kind, LockRange range, int state)
    {
        lock (_lock)
        {
            if (_state != state)
                return false;
            Debug.Assert(!_isReclaiming);
            owner.Locks.Set(kind, range, ++_number);
            return true;
        }
    }

    /// <summary>Strikes out what is about to be given up: from here on it is not reclaimed. Waits for a reclaimer that runs.</summary>
    internal async ValueTask StrikeAsync(NlmClientOwner owner, LockRange range, CancellationToken cancellationToken)
    {
        while (!TryRecordNothing(owner, range, await ReclaimedAsync(cancellationToken)))
        {
        }
    }

    /// <summary>How the parts of a range are held; waits for a reclaimer that runs.</summary>
    internal async ValueTask<List<(LockKind? Kind, LockRange Range)>> PartsAsync(
        NlmClientOwner owner, LockRange range, CancellationToken cancellationToken)
    {
        await ReclaimedAsync(cancellationToken);
        lock (_lock)
            return owner.Locks.Parts(range);
    }

    private bool TryRecordNothing(NlmClientOwner owner, LockRange range, int state)
    {
        lock (_lock)
        {
            if (_state != state)
                return false;
            owner.Locks.Set(null, range, 0);
            return true;
        }
    }

    /// <summary>When the last reference is gone.</summary>
    internal ValueTask CloseAsync() => UnbindAllAsync();
}
