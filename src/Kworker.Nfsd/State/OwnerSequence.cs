using System.Diagnostics;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>
/// 4.0: the requests of one open or lock owner come one after the other, numbered, and the last one's reply is kept (RFC 7530 section 9.1.7).
/// </summary>
/// <remarks>All but <see cref="Enter"/> and <see cref="Exit"/> is for who has entered; who runs a request stays inside until it is answered.</remarks>
[DebuggerDisplay("next {Next}")]
internal sealed class OwnerSequence
{
    private readonly object _entered = new();
    private byte[] _reply = [];
    private int _replyLength;
    private bool _hasReply;

    /// <summary>The number due.</summary>
    public uint Next { get; set; }

    /// <summary>The last reply's status.</summary>
    public Nfsstat4 Status { get; private set; }

    /// <summary>The last reply behind its status.</summary>
    public ReadOnlySpan<byte> Reply => _reply.AsSpan(0, _replyLength);

    /// <summary>The file that the last request, an OPEN, left as current one.</summary>
    public NfsObject? Current { get; private set; }

    /// <summary>Waits until no other request of the owner runs.</summary>
    public void Enter()
    {
        if (Monitor.TryEnter(_entered))
            return;
        // Only a retry that came over another connection finds somebody here.
        using var blocking = Worker.Blocking();
        Monitor.Enter(_entered);
    }

    public void Exit() => Monitor.Exit(_entered);

    /// <summary>What a request's number makes of it.</summary>
    public SequenceVerdict Check(uint seqid)
    {
        if (seqid == Next)
            return SequenceVerdict.New;
        return _hasReply && seqid == unchecked(Next - 1) ? SequenceVerdict.Replay : SequenceVerdict.Bad;
    }

    /// <summary>A request has been answered: it counts, unless its error is one of those that say it was none.</summary>
    public void Complete(Nfsstat4 status, ReadOnlySpan<byte> reply, in NfsObject? current)
    {
        if (!Counts(status))
            return;
        Next = unchecked(Next + 1);
        Status = status;
        if (_reply.Length < reply.Length)
            _reply = new byte[reply.Length];
        reply.CopyTo(_reply);
        _replyLength = reply.Length;
        _hasReply = true;
        Current = current;
    }

    /// <summary>RFC 7530 section 9.1.7: errors after which the same number comes again.</summary>
    public static bool Counts(Nfsstat4 status) => status is not (Nfsstat4.StaleClientid or Nfsstat4.StaleStateid or Nfsstat4.BadStateid or Nfsstat4.BadSeqid
        or Nfsstat4.BadXdr or Nfsstat4.Resource or Nfsstat4.NoFileHandle or Nfsstat4.Moved);
}

/// <summary>What the number of a request makes of it.</summary>
internal enum SequenceVerdict
{
    New,
    Replay,
    Bad,
}
