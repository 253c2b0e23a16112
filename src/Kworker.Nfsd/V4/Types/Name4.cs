using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>component4</c>: the name of a file in a directory. RFC 7530 section 12, RFC 8881 section 14.</summary>
/// <remarks>Names are bytes, as on the disks that we serve and in Linux's nfsd: that they are UTF-8 is not checked.</remarks>
internal static class Name4
{
    private const int MaxLength = 255; // No system has longer ones.

    /// <summary>Reads a name, a view of the request, and says what is wrong with it whatever the operation.</summary>
    public static Nfsstat4 Read(ref XdrReader reader, out ReadOnlySpan<byte> name)
    {
        name = reader.ReadOpaque();
        return Check(name);
    }

    /// <summary>INVAL for none; NAMETOOLONG; BADNAME for "." and ".." and what has a slash in it; BADCHAR for a NUL.</summary>
    public static Nfsstat4 Check(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return Nfsstat4.Inval;
        if (name.Length > MaxLength)
            return Nfsstat4.NameTooLong;
        if (NfsName.IsDotOrDotDot(name) || name.Contains((byte)'/'))
            return Nfsstat4.BadName;
        return name.Contains((byte)0) ? Nfsstat4.BadChar : Nfsstat4.Ok;
    }
}
