namespace Kworker.Nfsd.Tests.Wire;

/// <summary>CB_SEQUENCE and CB_NOTIFY_LOCK as a server called them, taken apart by hand (RFC 8881 section 20), and what a client may answer.</summary>
internal sealed class Callback4
{
    private readonly uint _xid;

    public Callback4(byte[] message)
    {
        var call = new XdrCursor(message);
        _xid = call.U32();
        Assert.Equal(0u, call.U32()); // CALL
        Assert.Equal(2u, call.U32());
        Program = call.U32();
        Assert.Equal(1u, call.U32()); // of the version that all take
        Assert.Equal(1u, call.U32()); // CB_COMPOUND
        Assert.Equal(0u, call.U32()); // AUTH_NONE, as asked for
        Assert.Empty(call.Opaque());
        Assert.Equal(0u, call.U32());
        Assert.Empty(call.Opaque());
        call.Opaque(); // the tag
        Assert.Equal(1u, call.U32()); // the minor version
        call.U32();
        Assert.Equal(2u, call.U32());
        Assert.Equal(11u, call.U32());
        Session = [.. Op4.U64(call.U64()), .. Op4.U64(call.U64())];
        Seqid = call.U32();
        Assert.Equal(0u, call.U32()); // the slot
        Assert.Equal(0u, call.U32());
        Assert.False(call.Bool());
        Assert.Equal(0u, call.U32()); // no referring calls
        Assert.Equal(13u, call.U32());
        Handle = call.Opaque();
        ClientId = call.U64();
        Owner = System.Text.Encoding.ASCII.GetString(call.Opaque());
        call.End();
    }

    public uint Program { get; }

    public byte[] Session { get; }

    public uint Seqid { get; }

    public byte[] Handle { get; }

    public ulong ClientId { get; }

    public string Owner { get; }

    /// <summary>All is well.</summary>
    public byte[] Ok() => Reply(new XdrBytes().U32(0).Opaque([]).U32(2).U32(11).U32(0).Raw(Session).U32(Seqid).U32(0).U32(0).U32(0).U32(13).U32(0));

    /// <summary>CB_SEQUENCE fails.</summary>
    public byte[] Failure(uint status) => Reply(new XdrBytes().U32(status).Opaque([]).U32(1).U32(11).U32(status));

    /// <summary>Any bytes as a result.</summary>
    public byte[] Reply(XdrBytes body) => new XdrBytes().U32(_xid).U32(1).U32(0).U32(0).U32(0).U32(0).Raw(body.ToArray()).ToArray();

    /// <summary>The program is not served (PROG_UNAVAIL).</summary>
    public byte[] Unavailable() => new XdrBytes().U32(_xid).U32(1).U32(0).U32(0).U32(0).U32(1).ToArray();
}
