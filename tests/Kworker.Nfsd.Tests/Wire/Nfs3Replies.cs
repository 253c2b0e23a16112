namespace Kworker.Nfsd.Tests.Wire;

/// <summary>The numbers of <c>nfsstat3</c> as the RFC has them, for tests to compare with.</summary>
internal static class Stat
{
    public const uint Ok = 0, Perm = 1, NoEnt = 2, Io = 5, Acces = 13, Exist = 17, Xdev = 18, NotDir = 20, IsDir = 21, Inval = 22, FBig = 27,
        NoSpc = 28, RoFs = 30, MLink = 31, NameTooLong = 63, NotEmpty = 66, DQuot = 69, Stale = 70, BadHandle = 10001, NotSync = 10002,
        BadCookie = 10003, NotSupp = 10004, TooSmall = 10005, ServerFault = 10006, BadType = 10007, Jukebox = 10008;
}

internal readonly record struct Time(uint Seconds, uint Nanoseconds);

internal sealed record Attr(
    uint Type, uint Mode, uint Nlink, uint Uid, uint Gid, ulong Size, ulong Used, uint Major, uint Minor, ulong Fsid, ulong Fileid,
    Time Atime, Time Mtime, Time Ctime);

internal sealed record Before(ulong Size, Time Mtime, Time Ctime);

internal sealed record Wcc(Before? Before, Attr? After);

internal sealed record Looked(uint Status, byte[] Handle, Attr? Attr, Attr? Dir);

internal sealed record Made(uint Status, byte[]? Handle, Attr? Attr, Wcc Dir);

internal sealed record DataRead(uint Status, byte[] Data, bool Eof, Attr? Attr);

internal sealed record Written(uint Status, uint Count, uint Committed, ulong Verifier, Wcc Wcc);

internal sealed record Committed(uint Status, ulong Verifier, Wcc Wcc);

internal sealed record Entry(ulong Fileid, byte[] Name, ulong Cookie, Attr? Attr = null, byte[]? Handle = null);

internal sealed record Listed(uint Status, ulong Verifier, List<Entry> Entries, bool Eof, Attr? Dir, int Size);
