using System.Buffers.Binary;
using System.Diagnostics;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>A slot: a request runs in it, or the last one's answer is kept in it (RFC 8881 section 2.10.6.1).</summary>
/// <remarks>
/// <see cref="_isBusy"/> is its lock: who has set it owns all other fields until <see cref="End"/>. A retry that finds it set is told to come back.
/// </remarks>
[DebuggerDisplay("slot {Index}, {Seqid}")]
internal sealed class SessionSlot(Session session, uint index) : ICompoundSlot
{
    private const int Word = sizeof(uint);
    private const int SequenceResultSize = 2 * Word + 16 + 5 * Word; // number and status, session, five numbers

    private int _isBusy; // 0 or 1; set by compare-and-swap
    private bool _cacheThis;
    private Principal _caller;
    private ulong _request; // a hash of the last request behind its SEQUENCE
    private int _operations;
    private byte[] _reply = []; // grows to what is needed, within ca_maxresponsesize_cached
    private int _replyLength;
    private bool _isWhole; // _reply is the whole answer, not just that of SEQUENCE

    public Session Session { get; } = session;

    public uint Index { get; } = index;

    /// <summary>The last request's number. Written while it runs; read by those who find the slot busy to see what they are.</summary>
    public uint Seqid { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Whether a request runs in it.</summary>
    public bool IsBusy => Volatile.Read(ref _isBusy) != 0;

    public int MaxResponseSize => (int)Session.Fore.MaxResponse;

    public int? MaxResponseSizeCached => _cacheThis ? (int)Session.Fore.MaxResponseCached : null;

    public int MaxOperations => (int)Session.Fore.MaxOperations;

    /// <summary>A request comes in.</summary>
    /// <param name="seqid">Its number.</param>
    /// <param name="cacheThis">Whether its answer is to be kept.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">A hash of what it asks for.</param>
    /// <param name="operations">How many operations it has.</param>
    /// <param name="next">The number of the operation behind SEQUENCE, if there is one.</param>
    /// <param name="replay">What to answer, if it is a retry.</param>
    /// <returns>OK: it runs, unless <paramref name="replay"/> is its answer. Else why not.</returns>
    public Nfsstat4 Begin(uint seqid, bool cacheThis, in Principal caller, ulong request, int operations, uint next, out ReadOnlyMemory<byte>? replay)
    {
        replay = null;
        if (Interlocked.CompareExchange(ref _isBusy, 1, 0) != 0)
            return seqid == Seqid ? Nfsstat4.Delay : Nfsstat4.SeqMisordered;
        if (seqid == unchecked(Seqid + 1))
        {
            Seqid = seqid;
            _cacheThis = cacheThis;
            _caller = caller;
            _request = request;
            _operations = operations;
            _replyLength = 0;
            return Nfsstat4.Ok;
        }
        Nfsstat4 status = Nfsstat4.SeqMisordered;
        if (seqid == Seqid && _replyLength > 0)
            status = Retry(cacheThis, caller, request, operations, next, out replay);
        Volatile.Write(ref _isBusy, 0);
        return status;
    }

    /// <inheritdoc/>
    public void End(CompoundContext context, ReadOnlySpan<byte> results)
    {
        int sequenceLength = ResultsOffset(results) + SequenceResultSize;
        // An answer that is no longer than SEQUENCE's is kept whatever was asked for: it is needed anyway.
        _isWhole = _cacheThis || results.Length <= sequenceLength;
        Keep(_isWhole ? results : results[..sequenceLength]);
        NfsClient client = Session.Client;
        Volatile.Write(ref _isBusy, 0);
        client.Leave(Session.State.Now);
    }

    private Nfsstat4 Retry(bool cacheThis, in Principal caller, ulong request, int operations, uint next, out ReadOnlyMemory<byte>? replay)
    {
        replay = null;
        // Another request under the number of an old one (RFC 8881 section 2.10.6.1.3.1).
        if (caller != _caller || request != _request || operations != _operations || cacheThis != _cacheThis)
            return Nfsstat4.SeqFalseRetry;
        replay = _isWhole ? _reply.AsSpan(0, _replyLength).ToArray() : Unkept(next);
        return Nfsstat4.Ok;
    }

    /// <summary>The answer to a retry whose first answer was not kept: SEQUENCE's, and a refusal of what comes behind it (RFC 8881 section 2.10.6.1.3).</summary>
    private byte[] Unkept(uint next)
    {
        byte[] reply = new byte[_replyLength + 2 * Word];
        _reply.AsSpan(0, _replyLength).CopyTo(reply);
        BinaryPrimitives.WriteInt32BigEndian(reply, (int)Nfsstat4.RetryUncachedRep);
        BinaryPrimitives.WriteInt32BigEndian(reply.AsSpan(ResultsOffset(reply) - Word), 2);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(_replyLength), next);
        BinaryPrimitives.WriteInt32BigEndian(reply.AsSpan(_replyLength + Word), (int)Nfsstat4.RetryUncachedRep);
        return reply;
    }

    /// <summary>Where the results begin: behind the status, the tag and their number.</summary>
    private static int ResultsOffset(ReadOnlySpan<byte> results) => 3 * Word + (BinaryPrimitives.ReadInt32BigEndian(results[Word..]) + 3 & ~3);

    private void Keep(ReadOnlySpan<byte> reply)
    {
        if (_reply.Length < reply.Length)
            _reply = new byte[reply.Length + 255 & ~255];
        reply.CopyTo(_reply);
        _replyLength = reply.Length;
    }
}
