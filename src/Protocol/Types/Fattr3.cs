using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>specdata3</c>, RFC 1813 section 2.6: major and minor number of a device.</summary>
[Xdr]
internal readonly partial record struct SpecData3(uint Specdata1, uint Specdata2);

/// <summary><c>fattr3</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct Fattr3(
    Ftype3 Type,
    uint Mode,
    uint Nlink,
    uint Uid,
    uint Gid,
    ulong Size,
    ulong Used,
    SpecData3 Rdev,
    ulong Fsid,
    ulong Fileid,
    NfsTime3 Atime,
    NfsTime3 Mtime,
    NfsTime3 Ctime);

/// <summary><c>post_op_attr</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct PostOpAttr(Fattr3? Attributes)
{
    /// <summary>Bytes of one that has attributes.</summary>
    public const int FullSize = 4 + 84;
}

/// <summary><c>post_op_fh3</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct PostOpFh3(NfsFh3? Handle);
