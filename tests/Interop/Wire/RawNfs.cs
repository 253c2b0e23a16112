using System.Net;

namespace Kworker.Interop.Wire;

/// <summary>The NFSv3 and MOUNT calls (RFC 1813) that the tests make themselves. Each returns what the test asks about; a status that is not due fails.</summary>
internal sealed class RawNfs : IDisposable
{
    public const uint Ok = 0;
    public const uint NoEntry = 2;
    public const uint AccessDenied = 13;
    public const uint Exists = 17;
    public const uint ReadOnly = 30;
    public const uint Stale = 70;
    public const uint BadHandle = 10001;
    private const uint Nfs = 100003;
    private const uint Mount = 100005;
    private readonly RawRpc _rpc;

    private RawNfs(RawRpc rpc, byte[] root)
    {
        _rpc = rpc;
        Root = root;
    }

    /// <summary>How far a WRITE must be before its answer (stable_how, section 3.3.7).</summary>
    public enum Stable : uint
    {
        Unstable = 0,
        DataSync = 1,
        FileSync = 2,
    }

    public byte[] Root { get; }

    public RawRpc Rpc => _rpc;

    /// <summary>Connects and mounts <paramref name="path"/>.</summary>
    public static async Task<RawNfs> MountAsync(IPEndPoint nfs, int mountPort, string path, uint uid = 0, uint gid = 0)
    {
        var (status, root) = await AskForRootAsync(new IPEndPoint(nfs.Address, mountPort), path);
        Assert.True(status == 0, $"MNT {path}: status {status}");
        return new RawNfs(await RawRpc.ConnectAsync(nfs, uid, gid), root);
    }

    /// <summary>MNT (5.2.1), from a port above 1023.</summary>
    public static async Task<(uint Status, byte[] Root)> AskForRootAsync(IPEndPoint mountd, string path)
    {
        using var mount = await RawRpc.ConnectAsync(mountd);
        var reply = await mount.CallAsync(Mount, 3, 1, new RawWriter().Text(path));
        var status = reply.UInt32();
        return (status, status == 0 ? reply.Opaque() : []);
    }

    public Task NullAsync() => _rpc.CallAsync(Nfs, 3, 0);

    /// <summary>GETATTR (3.3.1): status and size.</summary>
    public async Task<(uint Status, ulong Size)> GetAttributesAsync(byte[] handle)
    {
        var reply = await _rpc.CallAsync(Nfs, 3, 1, new RawWriter().Opaque(handle));
        var status = reply.UInt32();
        if (status != Ok)
            return (status, 0);
        reply.Fixed(5 * 4); // type, mode, nlink, uid, gid
        return (status, reply.UInt64());
    }

    /// <summary>LOOKUP (3.3.3).</summary>
    public async Task<(uint Status, byte[] Handle)> LookupAsync(byte[] directory, string name)
    {
        var reply = await _rpc.CallAsync(Nfs, 3, 3, new RawWriter().Opaque(directory).Text(name));
        var status = reply.UInt32();
        return (status, status == Ok ? reply.Opaque() : []);
    }

    /// <summary>READ (3.3.6).</summary>
    public async Task<byte[]> ReadAsync(byte[] handle, ulong offset, uint count)
    {
        var reply = await _rpc.CallAsync(Nfs, 3, 6, new RawWriter().Opaque(handle).UInt64(offset).UInt32(count));
        Assert.Equal(Ok, reply.UInt32());
        SkipAttributes(reply);
        reply.UInt32(); // count
        reply.UInt32(); // eof
        return reply.Opaque();
    }

    /// <summary>WRITE (3.3.7): how it was committed, and the write verifier.</summary>
    public async Task<(Stable Committed, ulong Verifier)> WriteAsync(byte[] handle, ulong offset, byte[] data, Stable stable)
    {
        var arguments = new RawWriter().Opaque(handle).UInt64(offset).UInt32((uint)data.Length).UInt32((uint)stable).Opaque(data);
        var reply = await _rpc.CallAsync(Nfs, 3, 7, arguments);
        Assert.Equal(Ok, reply.UInt32());
        SkipCacheConsistency(reply);
        Assert.Equal((uint)data.Length, reply.UInt32());
        return ((Stable)reply.UInt32(), reply.UInt64());
    }

    /// <summary>CREATE (3.3.8), UNCHECKED.</summary>
    public Task<(uint Status, byte[] Handle)> CreateAsync(byte[] directory, string name) =>
        CreateAsync(new RawWriter().Opaque(directory).Text(name).UInt32(0).UInt32(1).UInt32(0x1a4).UInt32(0).UInt32(0).UInt32(0).UInt32(0).UInt32(0));

    /// <summary>CREATE (3.3.8), EXCLUSIVE: the same verifier for the same name is the same call, once more.</summary>
    public Task<(uint Status, byte[] Handle)> CreateExclusiveAsync(byte[] directory, string name, ulong verifier) =>
        CreateAsync(new RawWriter().Opaque(directory).Text(name).UInt32(2).UInt64(verifier));

    /// <summary>REMOVE (3.3.12).</summary>
    public async Task<uint> RemoveAsync(byte[] directory, string name) =>
        (await _rpc.CallAsync(Nfs, 3, 12, new RawWriter().Opaque(directory).Text(name))).UInt32();

    /// <summary>COMMIT (3.3.21), of the whole file unless told otherwise: the write verifier.</summary>
    public async Task<ulong> CommitAsync(byte[] handle, ulong offset = 0, uint count = 0)
    {
        var reply = await _rpc.CallAsync(Nfs, 3, 21, new RawWriter().Opaque(handle).UInt64(offset).UInt32(count));
        Assert.Equal(Ok, reply.UInt32());
        SkipCacheConsistency(reply);
        return reply.UInt64();
    }

    public void Dispose() => _rpc.Dispose();

    private static void SkipAttributes(RawReader reply)
    {
        if (reply.UInt32() != 0)
            reply.Fixed(84);
    }

    private static void SkipCacheConsistency(RawReader reply)
    {
        if (reply.UInt32() != 0)
            reply.Fixed(24);
        SkipAttributes(reply);
    }

    private async Task<(uint Status, byte[] Handle)> CreateAsync(RawWriter arguments)
    {
        var reply = await _rpc.CallAsync(Nfs, 3, 8, arguments);
        var status = reply.UInt32();
        if (status != Ok)
            return (status, []);
        Assert.Equal(1u, reply.UInt32()); // the handle follows
        return (status, reply.Opaque());
    }
}
