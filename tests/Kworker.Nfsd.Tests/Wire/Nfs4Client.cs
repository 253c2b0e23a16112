using System.Net;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>An operation of a compound: its number and its arguments, by hand (RFC 7530, RFC 8881).</summary>
internal readonly record struct Op4(uint Number, byte[] Arguments)
{
    public static Op4 PutRootFh => new(24, []);
    public static Op4 PutPubFh => new(23, []);
    public static Op4 GetFh => new(10, []);
    public static Op4 SaveFh => new(32, []);
    public static Op4 RestoreFh => new(31, []);
    public static Op4 LookupP => new(16, []);
    public static Op4 ReadLink => new(27, []);
    public static Op4 Illegal => new(999, []);

    public static Op4 PutFh(byte[] handle) => new(22, new XdrBytes().Opaque(handle).ToArray());

    public static Op4 Lookup(ReadOnlySpan<byte> name) => new(15, new XdrBytes().Opaque(name).ToArray());

    public static Op4 GetAttr(params uint[] attributes) => new(9, Bitmap(new XdrBytes(), attributes).ToArray());

    public static Op4 Access(uint requested) => new(3, new XdrBytes().U32(requested).ToArray());

    public static Op4 Read(ulong offset, uint count) => new(25, Anonymous().U64(offset).U32(count).ToArray());

    public static Op4 Write(ulong offset, ReadOnlySpan<byte> data, uint stable = 2) =>
        new(38, Anonymous().U64(offset).U32(stable).Opaque(data).ToArray());

    public static Op4 Commit(ulong offset = 0, uint count = 0) => new(5, new XdrBytes().U64(offset).U32(count).ToArray());

    public static Op4 Remove(ReadOnlySpan<byte> name) => new(28, new XdrBytes().Opaque(name).ToArray());

    public static Op4 Link(ReadOnlySpan<byte> name) => new(11, new XdrBytes().Opaque(name).ToArray());

    public static Op4 Rename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new(29, new XdrBytes().Opaque(from).Opaque(to).ToArray());

    public static Op4 SecInfo(ReadOnlySpan<byte> name) => new(33, new XdrBytes().Opaque(name).ToArray());

    public static Op4 MkDir(ReadOnlySpan<byte> name) => Create(2, name, []);

    public static Op4 SymLink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target) => Create(5, name, new XdrBytes().Opaque(target).ToArray());

    public static Op4 Create(uint type, ReadOnlySpan<byte> name, byte[] ofType) =>
        new(6, new XdrBytes().U32(type).Raw(ofType).Opaque(name).U32(2).U32(0).U32(2).Opaque(new XdrBytes().U32(0x1ed).ToArray()).ToArray());

    /// <summary>SETATTR of attributes given as number and value, lowest first.</summary>
    public static Op4 SetAttr(params (uint Attribute, byte[] Value)[] attributes) =>
        new(34, Fattr(Anonymous(), attributes).ToArray());

    public static Op4 Verify(params (uint Attribute, byte[] Value)[] attributes) => new(37, Fattr(new XdrBytes(), attributes).ToArray());

    public static Op4 NVerify(params (uint Attribute, byte[] Value)[] attributes) => new(17, Fattr(new XdrBytes(), attributes).ToArray());

    public static Op4 ReadDir(ulong cookie, ulong verifier, uint maxCount, params uint[] attributes) =>
        new(26, Bitmap(new XdrBytes().U64(cookie).U64(verifier).U32(maxCount).U32(maxCount), attributes).ToArray());

    public static byte[] U32(uint value) => new XdrBytes().U32(value).ToArray();

    public static byte[] U64(ulong value) => new XdrBytes().U64(value).ToArray();

    public static byte[] Text(string value) => new XdrBytes().Opaque(System.Text.Encoding.UTF8.GetBytes(value)).ToArray();

    private static XdrBytes Anonymous() => new XdrBytes().U64(0).U64(0);

    private static XdrBytes Fattr(XdrBytes to, (uint Attribute, byte[] Value)[] attributes) =>
        Bitmap(to, [.. attributes.Select(one => one.Attribute)]).Opaque(attributes.SelectMany(one => one.Value).ToArray());

    private static XdrBytes Bitmap(XdrBytes to, uint[] attributes)
    {
        var words = new uint[attributes.Length == 0 ? 0 : attributes.Max() / 32 + 1];
        foreach (uint attribute in attributes)
            words[attribute / 32] |= 1u << (int)(attribute % 32);
        to.U32((uint)words.Length);
        foreach (uint word in words)
            to.U32(word);
        return to;
    }
}

/// <summary>What a compound came to; results are read off <see cref="Body"/> one by one.</summary>
internal sealed record Reply4(uint Status, byte[] Tag, uint Count, XdrCursor Body)
{
    /// <summary>The next result's status; it must be of this operation.</summary>
    public uint Next(Op4 operation) => Next(operation.Number);

    public uint Next(uint number)
    {
        Assert.Equal(number, Body.U32());
        return Body.U32();
    }

    /// <summary>Skips results that succeeded and have no body.</summary>
    public Reply4 Skip(params Op4[] operations)
    {
        foreach (Op4 operation in operations)
            Assert.Equal(0u, Next(operation));
        return this;
    }

    /// <summary>The attributes of a GETATTR or a directory's entry, as a cursor over their values.</summary>
    public XdrCursor Attributes(params uint[] expected)
    {
        uint words = Body.U32();
        var found = new List<uint>();
        for (uint word = 0; word < words; word++)
        {
            uint bits = Body.U32();
            for (int bit = 0; bit < 32; bit++)
            {
                if ((bits >> bit & 1) != 0)
                    found.Add(word * 32 + (uint)bit);
            }
        }
        Assert.Equal(expected, found);
        return new XdrCursor(Body.Opaque());
    }
}

/// <summary>NFSv4 as a client would send it.</summary>
internal sealed class Nfs4Client(IPEndPoint server) : IDisposable
{
    public const uint Program = 100003;

    public RpcConnection Rpc { get; } = new(server);

    public void Dispose() => Rpc.Dispose();

    public Nfs4Client As(uint uid, uint gid, params uint[] groups)
    {
        Rpc.Credential = RpcConnection.SysCredential(uid, gid, groups);
        return this;
    }

    public static byte[] Compound(uint minorVersion, ReadOnlySpan<byte> tag, params ReadOnlySpan<Op4> operations)
    {
        XdrBytes bytes = new XdrBytes().Opaque(tag).U32(minorVersion).U32((uint)operations.Length);
        foreach (Op4 operation in operations)
            bytes.U32(operation.Number).Raw(operation.Arguments);
        return bytes.ToArray();
    }

    public Reply4 Send(byte[] compound)
    {
        RpcAnswer answer = Rpc.Call(Program, 4, 1, compound);
        Assert.True(answer.IsAccepted, $"denied: {answer.Status}");
        Assert.Equal(0u, answer.Status);
        return new Reply4(answer.Body.U32(), answer.Body.Opaque(), answer.Body.U32(), answer.Body);
    }

    /// <summary>Runs a compound of 4.0.</summary>
    public Reply4 Run(params ReadOnlySpan<Op4> operations) => Send(Compound(0, "tag"u8, operations));

    /// <summary>Runs operations of which the last alone has a body, or fails; the reply stands behind that one's status.</summary>
    public (uint Status, Reply4 Reply) Last(params ReadOnlySpan<Op4> operations)
    {
        Reply4 reply = Run(operations);
        for (int i = 0; i < operations.Length - 1; i++)
            Assert.Equal(0u, reply.Next(operations[i]));
        uint status = reply.Next(operations[^1]);
        Assert.Equal(reply.Status, status);
        return (status, reply);
    }

    /// <summary>The handle that operations without bodies lead to.</summary>
    public byte[] Handle(params ReadOnlySpan<Op4> operations)
    {
        (uint status, Reply4 reply) = Last([.. operations, Op4.GetFh]);
        Assert.Equal(0u, status);
        byte[] handle = reply.Body.Opaque();
        reply.Body.End();
        return handle;
    }
}
