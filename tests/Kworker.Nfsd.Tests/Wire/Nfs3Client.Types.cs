namespace Kworker.Nfsd.Tests.Wire;

internal sealed record Sattr
{
    public uint? Mode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }

    public ulong? Size { get; init; }

    /// <summary>time_how, and the time for 2.</summary>
    public (uint How, Time Time) Atime { get; init; }

    public (uint How, Time Time) Mtime { get; init; }

    public void Write(XdrBytes to)
    {
        foreach (uint? word in (uint?[])[Mode, Uid, Gid])
        {
            to.Bool(word is not null);
            if (word is { } value)
                to.U32(value);
        }
        to.Bool(Size is not null);
        if (Size is { } size)
            to.U64(size);
        foreach ((uint how, Time time) in ((uint, Time)[])[Atime, Mtime])
        {
            to.U32(how);
            if (how == 2)
                to.U32(time.Seconds).U32(time.Nanoseconds);
        }
    }
}

internal sealed partial class Nfs3Client
{
    public static Attr ReadAttr(XdrCursor from) => new(
        from.U32(), from.U32(), from.U32(), from.U32(), from.U32(), from.U64(), from.U64(), from.U32(), from.U32(), from.U64(), from.U64(),
        ReadTime(from), ReadTime(from), ReadTime(from));

    public static Attr? ReadPostOpAttr(XdrCursor from) => from.Bool() ? ReadAttr(from) : null;

    public static Wcc ReadWcc(XdrCursor from) =>
        new(from.Bool() ? new Before(from.U64(), ReadTime(from), ReadTime(from)) : null, ReadPostOpAttr(from));

    private static Time ReadTime(XdrCursor from) => new(from.U32(), from.U32());

    private static (uint Status, Wcc Wcc) StatusAndWcc(XdrCursor reply)
    {
        (uint, Wcc) result = (reply.U32(), ReadWcc(reply));
        reply.End();
        return result;
    }

    private static Made ReadMade(XdrCursor reply)
    {
        uint status = reply.U32();
        byte[]? handle = status == 0 && reply.Bool() ? reply.Opaque() : null;
        Attr? attr = status == 0 ? ReadPostOpAttr(reply) : null;
        var made = new Made(status, handle, attr, ReadWcc(reply));
        reply.End();
        return made;
    }

    private static Listed ReadListed(XdrCursor reply, bool plus)
    {
        uint status = reply.U32();
        int size = reply.Remaining;
        Attr? dir = ReadPostOpAttr(reply);
        var entries = new List<Entry>();
        ulong verifier = 0;
        bool eof = false;
        if (status == 0)
        {
            verifier = reply.U64();
            while (reply.Bool())
            {
                var entry = new Entry(reply.U64(), reply.Opaque(), reply.U64());
                entries.Add(plus ? entry with { Attr = ReadPostOpAttr(reply), Handle = reply.Bool() ? reply.Opaque() : null } : entry);
            }
            eof = reply.Bool();
        }
        reply.End();
        return new Listed(status, verifier, entries, eof, dir, size);
    }
}
