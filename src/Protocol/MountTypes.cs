using Kworker.SunRpc;

namespace Kworker.Nfs3;

// The types of RFC 1813 section 5.1, MOUNT version 3.

/// <summary><c>mountstat3</c>.</summary>
[Xdr]
internal enum Mountstat3
{
    Ok = 0,
    Perm = 1,
    NoEnt = 2,
    Io = 5,
    Acces = 13,
    NotDir = 20,
    Inval = 22,
    NameTooLong = 63,
    NotSupp = 10004,
    ServerFault = 10006,
}

/// <summary><c>dirpath</c>. Declared without its limit of 1024 bytes, so that a longer one gets NAMETOOLONG, not garbage arguments.</summary>
[Xdr]
internal readonly partial record struct DirPath(ReadOnlyMemory<byte> Path);

/// <summary><c>mountres3_ok</c>.</summary>
[Xdr]
internal readonly partial record struct MountRes3Ok([XdrMax(64)] byte[] Fhandle, RpcAuthFlavors AuthFlavors);

/// <summary><c>mountres3</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct MountRes3(Mountstat3 FhsStatus, [XdrCase(Mountstat3.Ok)] MountRes3Ok? MountInfo = null);

/// <summary>The <c>auth_flavors</c> of <c>mountres3_ok</c>, the preferred first.</summary>
[Xdr]
internal readonly partial record struct RpcAuthFlavors(int[] Flavors);

/// <summary><c>mountbody</c> without its link: the list is an array.</summary>
[Xdr]
internal readonly partial record struct MountBody([XdrMax(255)] byte[] Hostname, [XdrMax(1024)] byte[] Directory);

/// <summary><c>mountlist</c>.</summary>
[Xdr]
internal readonly partial record struct MountList([XdrList] MountBody[] Mounts);

/// <summary><c>groupnode</c> without its link.</summary>
[Xdr]
internal readonly partial record struct GroupNode([XdrMax(255)] byte[] Name);

/// <summary><c>exportnode</c> without its link.</summary>
[Xdr]
internal readonly partial record struct ExportNode([XdrMax(1024)] byte[] Dir, [XdrList] GroupNode[] Groups);

/// <summary><c>exports</c>.</summary>
[Xdr]
internal readonly partial record struct ExportList([XdrList] ExportNode[] Exports);
