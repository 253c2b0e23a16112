using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>What RFC 1813 lets each procedure answer, written down anew from its text.</summary>
internal static class ListedErrors
{
    /// <summary>The procedures by number.</summary>
    public static readonly string[] Procedures =
    [
        "NULL", "GETATTR", "SETATTR", "LOOKUP", "ACCESS", "READLINK", "READ", "WRITE", "CREATE", "MKDIR", "SYMLINK", "MKNOD", "REMOVE", "RMDIR",
        "RENAME", "LINK", "READDIR", "READDIRPLUS", "FSSTAT", "FSINFO", "PATHCONF", "COMMIT",
    ];

    // RFC 1813, the ERRORS paragraph of each procedure.
    private static readonly Dictionary<string, uint[]> s_listed = new()
    {
        ["GETATTR"] = [Stat.Io],
        ["SETATTR"] = [Stat.Perm, Stat.Io, Stat.Acces, Stat.Inval, Stat.NoSpc, Stat.RoFs, Stat.DQuot, Stat.NotSync],
        ["LOOKUP"] = [Stat.Io, Stat.NoEnt, Stat.Acces, Stat.NotDir, Stat.NameTooLong],
        ["ACCESS"] = [Stat.Io],
        ["READLINK"] = [Stat.Io, Stat.Inval, Stat.Acces, Stat.NotSupp],
        ["READ"] = [Stat.Io, 6, Stat.Acces, Stat.Inval],
        ["WRITE"] = [Stat.Io, Stat.Acces, Stat.FBig, Stat.DQuot, Stat.NoSpc, Stat.RoFs, Stat.Inval],
        ["CREATE"] = [Stat.Io, Stat.Acces, Stat.Exist, Stat.NotDir, Stat.NoSpc, Stat.RoFs, Stat.NameTooLong, Stat.DQuot, Stat.NotSupp],
        ["MKDIR"] = [Stat.Io, Stat.Acces, Stat.Exist, Stat.NotDir, Stat.NoSpc, Stat.RoFs, Stat.NameTooLong, Stat.DQuot, Stat.NotSupp],
        ["SYMLINK"] = [Stat.Io, Stat.Acces, Stat.Exist, Stat.NotDir, Stat.NoSpc, Stat.RoFs, Stat.NameTooLong, Stat.DQuot, Stat.NotSupp],
        ["MKNOD"] = [Stat.Io, Stat.Acces, Stat.Exist, Stat.NotDir, Stat.NoSpc, Stat.RoFs, Stat.NameTooLong, Stat.DQuot, Stat.NotSupp, Stat.BadType],
        ["REMOVE"] = [Stat.NoEnt, Stat.Io, Stat.Acces, Stat.NotDir, Stat.NameTooLong, Stat.RoFs],
        ["RMDIR"] = [Stat.NoEnt, Stat.Io, Stat.Acces, Stat.Inval, Stat.Exist, Stat.NotDir, Stat.NameTooLong, Stat.RoFs, Stat.NotEmpty, Stat.NotSupp],
        ["RENAME"] = [Stat.NoEnt, Stat.Io, Stat.Acces, Stat.Exist, Stat.Xdev, Stat.NotDir, Stat.IsDir, Stat.Inval, Stat.NoSpc, Stat.RoFs, Stat.MLink,
            Stat.NameTooLong, Stat.NotEmpty, Stat.DQuot, Stat.NotSupp],
        ["LINK"] = [Stat.Io, Stat.Acces, Stat.Exist, Stat.Xdev, Stat.NotDir, Stat.Inval, Stat.NoSpc, Stat.RoFs, Stat.MLink, Stat.NameTooLong,
            Stat.DQuot, Stat.NotSupp],
        ["READDIR"] = [Stat.Io, Stat.Acces, Stat.NotDir, Stat.BadCookie, Stat.TooSmall],
        ["READDIRPLUS"] = [Stat.Io, Stat.Acces, Stat.NotDir, Stat.BadCookie, Stat.TooSmall, Stat.NotSupp],
        ["FSSTAT"] = [Stat.Io],
        ["FSINFO"] = [],
        ["PATHCONF"] = [],
        ["COMMIT"] = [Stat.Io],
    };

    public static uint[] Of(string procedure) => [.. s_listed[procedure], Stat.Stale, Stat.BadHandle, Stat.ServerFault, Stat.Jukebox];
}
