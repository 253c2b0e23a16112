using System.Diagnostics;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>What a stateid names: an open, a file's locks of one owner, a delegation (<c>nfs4_stid</c>).</summary>
[DebuggerDisplay("{GetType().Name,nq} {_seqid}, {Status}")]
internal abstract class StateObject(NfsClient client, FileState file, uint number)
{
    private uint _seqid = 1; // written under the client's lock, read without
    private volatile StateStatus _status; // as _seqid

    public NfsClient Client { get; } = client;

    public FileState File { get; } = file;

    /// <summary>The last four bytes of its stateid; the others are the client's id.</summary>
    public uint Number { get; } = number;

    /// <summary>Counts the changes; never 0.</summary>
    public uint Seqid => Volatile.Read(ref _seqid);

    /// <summary>Whether it may be used.</summary>
    public StateStatus Status
    {
        get => _status;
        set => _status = value;
    }

    /// <summary>Its stateid of now.</summary>
    public Stateid4 Stateid => new(Seqid, Client.Id, Number);

    /// <summary>Client's lock: it has changed.</summary>
    public Stateid4 Advance()
    {
        uint next = unchecked(_seqid + 1);
        Volatile.Write(ref _seqid, next == 0 ? 1 : next);
        return Stateid;
    }

    /// <summary>Whether a stateid of a client is the latest of this state (RFC 7530 section 9.1.4.2, RFC 8881 section 8.2.2).</summary>
    public Nfsstat4 CheckSeqid(uint seqid, bool hasSession)
    {
        uint now = Seqid;
        if (seqid == now || (seqid == 0 && hasSession))
            return Nfsstat4.Ok;
        // One from the future cannot have been given out.
        return unchecked((int)(seqid - now)) > 0 ? Nfsstat4.BadStateid : Nfsstat4.OldStateid;
    }
}

/// <summary>What has become of a state.</summary>
internal enum StateStatus
{
    /// <summary>It holds.</summary>
    Valid,

    /// <summary>An open that was closed, kept for a retry of its CLOSE (4.0).</summary>
    Closed,

    /// <summary>The server took it away; the client has yet to acknowledge it (FREE_STATEID).</summary>
    Revoked,
}
