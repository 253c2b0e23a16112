using Kworker.SunRpc;

namespace Kworker.Nfs3;

// MKNOD, RFC 1813 section 3.3.11. Its results are CREATE's.

/// <summary><c>devicedata3</c>.</summary>
[Xdr]
internal readonly partial record struct DeviceData3(Sattr3 DevAttributes, SpecData3 Spec);

/// <summary><c>mknoddata3</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct MknodData3(
    Ftype3 Type,
    [XdrCase(Ftype3.Character, Ftype3.Block)] DeviceData3 Device = default,
    [XdrCase(Ftype3.Socket, Ftype3.Fifo)] Sattr3 PipeAttributes = default);

/// <summary><c>MKNOD3args</c>.</summary>
[Xdr]
internal readonly partial record struct MkNod3Args(DirOpArgs3 Where, MknodData3 What);
