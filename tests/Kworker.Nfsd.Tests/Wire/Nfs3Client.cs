using System.Net;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>The procedures of NFSv3 and MOUNT v3 as a client would call them; arguments and results by hand (RFC 1813).</summary>
internal sealed partial class Nfs3Client(IPEndPoint server) : IDisposable
{
    public const uint Nfs = 100003, Mount = 100005;

    public RpcConnection Rpc { get; } = new(server);

    public void Dispose() => Rpc.Dispose();

    /// <summary>Whom the next calls are from.</summary>
    public Nfs3Client As(uint uid, uint gid, params uint[] groups)
    {
        Rpc.Credential = RpcConnection.SysCredential(uid, gid, groups);
        return this;
    }

    public Nfs3Client AsNobody()
    {
        Rpc.Credential = null;
        return this;
    }

    /// <summary>Calls a procedure that must be answered with results.</summary>
    public XdrCursor Call(uint procedure, XdrBytes arguments, uint program = Nfs)
    {
        RpcAnswer answer = Rpc.Call(program, 3, procedure, arguments.ToArray());
        Assert.True(answer.IsAccepted, $"denied: {answer.Status}");
        Assert.Equal(0u, answer.Status);
        return answer.Body;
    }

    public (uint Status, byte[] Handle, uint[] Flavors) Mnt(ReadOnlySpan<byte> path)
    {
        XdrCursor reply = Call(1, new XdrBytes().Opaque(path), Mount);
        uint status = reply.U32();
        byte[] handle = [];
        uint[] flavors = [];
        if (status == 0)
        {
            handle = reply.Opaque();
            flavors = new uint[reply.U32()];
            for (int i = 0; i < flavors.Length; i++)
                flavors[i] = reply.U32();
        }
        reply.End();
        return (status, handle, flavors);
    }

    public byte[] MustMount(string path)
    {
        (uint status, byte[] handle, _) = Mnt(System.Text.Encoding.UTF8.GetBytes(path));
        Assert.Equal(0u, status);
        return handle;
    }

    public (uint Status, Attr? Attr) GetAttr(byte[] file)
    {
        XdrCursor reply = Call(1, new XdrBytes().Opaque(file));
        uint status = reply.U32();
        Attr? attr = status == 0 ? ReadAttr(reply) : null;
        reply.End();
        return (status, attr);
    }

    public Attr MustGetAttr(byte[] file)
    {
        (uint status, Attr? attr) = GetAttr(file);
        Assert.Equal(Stat.Ok, status);
        return attr!;
    }

    public (uint Status, Wcc Wcc) SetAttr(byte[] file, Sattr attributes, Time? guard = null)
    {
        XdrBytes arguments = new XdrBytes().Opaque(file);
        attributes.Write(arguments);
        arguments.Bool(guard is not null);
        if (guard is { } time)
            arguments.U32(time.Seconds).U32(time.Nanoseconds);
        return StatusAndWcc(Call(2, arguments));
    }

    public Looked Lookup(byte[] directory, ReadOnlySpan<byte> name)
    {
        XdrCursor reply = Call(3, new XdrBytes().Opaque(directory).Opaque(name));
        uint status = reply.U32();
        byte[] handle = status == 0 ? reply.Opaque() : [];
        Attr? attr = status == 0 ? ReadPostOpAttr(reply) : null;
        Attr? dir = ReadPostOpAttr(reply);
        reply.End();
        return new Looked(status, handle, attr, dir);
    }

    public (uint Status, uint Access, Attr? Attr) Access(byte[] file, uint requested)
    {
        XdrCursor reply = Call(4, new XdrBytes().Opaque(file).U32(requested));
        uint status = reply.U32();
        Attr? attr = ReadPostOpAttr(reply);
        uint granted = status == 0 ? reply.U32() : 0;
        reply.End();
        return (status, granted, attr);
    }

    public (uint Status, byte[] Target, Attr? Attr) ReadLink(byte[] link)
    {
        XdrCursor reply = Call(5, new XdrBytes().Opaque(link));
        uint status = reply.U32();
        Attr? attr = ReadPostOpAttr(reply);
        byte[] target = status == 0 ? reply.Opaque() : [];
        reply.End();
        return (status, target, attr);
    }

    public DataRead Read(byte[] file, ulong offset, uint count)
    {
        XdrCursor reply = Call(6, new XdrBytes().Opaque(file).U64(offset).U32(count));
        uint status = reply.U32();
        Attr? attr = ReadPostOpAttr(reply);
        if (status != 0)
        {
            reply.End();
            return new DataRead(status, [], false, attr);
        }
        uint length = reply.U32();
        bool eof = reply.Bool();
        byte[] data = reply.Opaque();
        reply.End();
        Assert.Equal(length, (uint)data.Length);
        return new DataRead(status, data, eof, attr);
    }

    public Written Write(byte[] file, ulong offset, ReadOnlySpan<byte> data, uint stable = 2, uint? count = null)
    {
        XdrCursor reply = Call(7, new XdrBytes().Opaque(file).U64(offset).U32(count ?? (uint)data.Length).U32(stable).Opaque(data));
        uint status = reply.U32();
        Wcc wcc = ReadWcc(reply);
        Written written = status == 0 ? new Written(status, reply.U32(), reply.U32(), reply.U64(), wcc) : new Written(status, 0, 0, 0, wcc);
        reply.End();
        return written;
    }

    public Made Create(byte[] directory, ReadOnlySpan<byte> name, uint mode = 0, Sattr? attributes = null, ulong verifier = 0)
    {
        XdrBytes arguments = new XdrBytes().Opaque(directory).Opaque(name).U32(mode);
        if (mode == 2)
            arguments.U64(verifier);
        else
            (attributes ?? new Sattr { Mode = 0x1a4 }).Write(arguments);
        return ReadMade(Call(8, arguments));
    }

    public byte[] MustCreate(byte[] directory, string name, Sattr? attributes = null)
    {
        Made made = Create(directory, System.Text.Encoding.UTF8.GetBytes(name), 1, attributes);
        Assert.Equal(Stat.Ok, made.Status);
        return made.Handle!;
    }

    public Made MkDir(byte[] directory, ReadOnlySpan<byte> name, Sattr? attributes = null)
    {
        XdrBytes arguments = new XdrBytes().Opaque(directory).Opaque(name);
        (attributes ?? new Sattr { Mode = 0x1ed }).Write(arguments);
        return ReadMade(Call(9, arguments));
    }

    public Made SymLink(byte[] directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        XdrBytes arguments = new XdrBytes().Opaque(directory).Opaque(name);
        new Sattr().Write(arguments);
        return ReadMade(Call(10, arguments.Opaque(target)));
    }

    public Made MkNod(byte[] directory, ReadOnlySpan<byte> name, uint type, uint major = 0, uint minor = 0)
    {
        XdrBytes arguments = new XdrBytes().Opaque(directory).Opaque(name).U32(type);
        if (type is 3 or 4 or 6 or 7)
            new Sattr { Mode = 0x1a4 }.Write(arguments);
        if (type is 3 or 4)
            arguments.U32(major).U32(minor);
        return ReadMade(Call(11, arguments));
    }

    public (uint Status, Wcc Wcc) Remove(byte[] directory, ReadOnlySpan<byte> name) =>
        StatusAndWcc(Call(12, new XdrBytes().Opaque(directory).Opaque(name)));

    public (uint Status, Wcc Wcc) RmDir(byte[] directory, ReadOnlySpan<byte> name) =>
        StatusAndWcc(Call(13, new XdrBytes().Opaque(directory).Opaque(name)));

    public (uint Status, Wcc From, Wcc To) Rename(byte[] from, ReadOnlySpan<byte> fromName, byte[] to, ReadOnlySpan<byte> toName)
    {
        XdrCursor reply = Call(14, new XdrBytes().Opaque(from).Opaque(fromName).Opaque(to).Opaque(toName));
        (uint, Wcc, Wcc) result = (reply.U32(), ReadWcc(reply), ReadWcc(reply));
        reply.End();
        return result;
    }

    public (uint Status, Attr? Attr, Wcc Dir) Link(byte[] file, byte[] directory, ReadOnlySpan<byte> name)
    {
        XdrCursor reply = Call(15, new XdrBytes().Opaque(file).Opaque(directory).Opaque(name));
        (uint, Attr?, Wcc) result = (reply.U32(), ReadPostOpAttr(reply), ReadWcc(reply));
        reply.End();
        return result;
    }

    public Listed ReadDir(byte[] directory, ulong cookie, ulong verifier, uint count) =>
        ReadListed(Call(16, new XdrBytes().Opaque(directory).U64(cookie).U64(verifier).U32(count)), plus: false);

    public Listed ReadDirPlus(byte[] directory, ulong cookie, ulong verifier, uint dircount, uint maxcount) =>
        ReadListed(Call(17, new XdrBytes().Opaque(directory).U64(cookie).U64(verifier).U32(dircount).U32(maxcount)), plus: true);

    public Committed Commit(byte[] file, ulong offset = 0, uint count = 0)
    {
        XdrCursor reply = Call(21, new XdrBytes().Opaque(file).U64(offset).U32(count));
        uint status = reply.U32();
        Wcc wcc = ReadWcc(reply);
        var result = new Committed(status, status == 0 ? reply.U64() : 0, wcc);
        reply.End();
        return result;
    }
}
