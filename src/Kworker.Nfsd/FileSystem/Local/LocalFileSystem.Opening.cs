using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// From handles to descriptors.
public sealed partial class LocalFileSystem
{
    /// <summary>A descriptor for the length of a call: one of the cache's, or one of its own.</summary>
    private readonly struct Opened(int fd, OpenFile? shared, OpenFileCache? cache) : IDisposable
    {
        public int Fd => fd;
        public OpenFile? Shared => shared;

        public void Dispose()
        {
            if (shared is not null)
                cache!.Release(shared);
            else if (cache is not null)
                Libc.Close(fd);
        }
    }

    private Opened Own(int fd) => new(fd, null, _files);

    private Opened Share(OpenFile file) => new(file.Fd, file, _files);

    /// <summary>Opens a file as a place, or takes a better descriptor that is there.</summary>
    private NfsStatus OpenPlace(in NfsHandle handle, out Opened opened, out StatX stat)
    {
        opened = default;
        NfsStatus status;
        if (_files.TryTake(handle, OpenAs.Place) is { } cached)
        {
            status = LocalFile.TryStat(cached.Fd, out stat) ? CheckReach(cached.Fd, stat) : ErrnoStatus.Last();
            if (status == NfsStatus.Ok)
            {
                opened = Share(cached);
                return NfsStatus.Ok;
            }
            _files.Release(cached);
            _files.Forget(handle);
            return status;
        }

        status = FindPlace(handle, out int fd, out stat);
        if (status != NfsStatus.Ok)
            return status;
        status = CheckReach(fd, stat);
        if (status == NfsStatus.Ok)
            opened = Own(fd);
        else
            Libc.Close(fd);
        return status;
    }

    private NfsStatus FindPlace(in NfsHandle handle, out int fd, out StatX stat)
    {
        stat = default;
        fd = -1;
        if (!FileIdentity.TryGetInode(handle, out ulong inode))
            return NfsStatus.BadHandle;
        if (_places is not null)
            return _places.Open(handle, out fd, out stat);

        fd = FileIdentity.Open(_root, handle);
        if (fd < 0)
        {
            // What the file system itself finds wrong with the bytes: never issued by it, or by one that was here before.
            int errno = Marshal.GetLastPInvokeError();
            return errno is ErrnoStatus.ESTALE or ErrnoStatus.ENOENT or ErrnoStatus.EINVAL or ErrnoStatus.EOVERFLOW or ErrnoStatus.ENOTDIR
                ? NfsStatus.Stale
                : ErrnoStatus.Of(errno);
        }
        if (LocalFile.TryStat(fd, out stat) && stat.Inode == inode)
            return NfsStatus.Ok;
        Libc.Close(fd);
        return NfsStatus.Stale;
    }

    /// <summary>Whether an open file still has a name, and a directory lies within the export.</summary>
    private NfsStatus CheckReach(int fd, in StatX stat)
    {
        if (stat.LinkCount == 0)
            return NfsStatus.Stale;
        return stat.IsDirectory && !IsInside(fd, stat) ? NfsStatus.Stale : NfsStatus.Ok;
    }

    /// <summary>Whether a directory is the root or lies below it now.</summary>
    private bool IsInside(int fd, in StatX stat)
    {
        if (stat.Inode == _rootStat.Inode && stat.Device == _rootStat.Device)
            return true;
        const int longestPath = 4096;
        Span<byte> root = stackalloc byte[longestPath];
        Span<byte> place = stackalloc byte[longestPath];
        int rootLength = ProcPath.ReadPlace(_root, root);
        int length = ProcPath.ReadPlace(fd, place);
        if (rootLength <= 0 || length <= 0 || root[0] != '/' || place[0] != '/')
            return IsInsideByClimbing(fd);
        return Exports.ExportPath.IsWithin(place[..length], root[..rootLength]);
    }

    /// <summary>The same for paths longer than the kernel tells: up by "..", until the root or the top.</summary>
    private unsafe bool IsInsideByClimbing(int fd)
    {
        int at = LocalFile.OpenPlace(fd, "."u8);
        while (at >= 0 && LocalFile.TryStat(at, out StatX stat))
        {
            if (stat.Inode == _rootStat.Inode && stat.Device == _rootStat.Device)
            {
                Libc.Close(at);
                return true;
            }
            int parent = LocalFile.OpenPlace(at, ".."u8);
            Libc.Close(at);
            at = parent;
            if (at >= 0 && LocalFile.TryStat(at, out StatX above) && above.Inode == stat.Inode && above.Device == stat.Device)
                break; // The top of everything.
        }
        if (at >= 0)
            Libc.Close(at);
        return false;
    }

    /// <summary>Opens a directory for names below it, and for listing if the server may read it.</summary>
    private NfsStatus OpenDirectory(in NfsHandle handle, out Opened opened, out StatX stat)
    {
        NfsStatus status = OpenPlace(handle, out opened, out stat);
        if (status != NfsStatus.Ok || opened.Shared is { As: not OpenAs.Place })
            return status == NfsStatus.Ok && !stat.IsDirectory ? Refuse(ref opened, NfsStatus.NotDir) : status;
        if (!stat.IsDirectory)
            return Refuse(ref opened, NfsStatus.NotDir);

        int fd = ProcPath.Reopen(opened.Fd, Libc.O_RDONLY | Libc.O_DIRECTORY);
        if (fd < 0)
            return Marshal.GetLastPInvokeError() == ErrnoStatus.EACCES ? NfsStatus.Ok : Refuse(ref opened, ErrnoStatus.Last());
        opened.Dispose();
        opened = Share(_files.Add(handle, fd, OpenAs.Reading));
        return NfsStatus.Ok;
    }

    /// <summary>Opens a regular file for its data.</summary>
    private NfsStatus OpenData(in NfsHandle handle, OpenAs need, NfsCredentials caller, out Opened opened, out StatX stat)
    {
        if (_files.TryTake(handle, need) is { } cached)
        {
            opened = Share(cached);
            if (LocalFile.TryStat(cached.Fd, out stat) && stat.LinkCount > 0)
                return stat.IsRegular ? NfsStatus.Ok : Refuse(ref opened, WrongTypeForData(stat));
            return Refuse(ref opened, NfsStatus.Stale);
        }
        NfsStatus status = OpenPlace(handle, out opened, out stat);
        if (status != NfsStatus.Ok)
            return status;
        // Asked before it is opened: opening a pipe or a device would do something.
        if (!stat.IsRegular)
            return Refuse(ref opened, WrongTypeForData(stat));

        int fd = ProcPath.Reopen(opened.Fd, need == OpenAs.Writing ? Libc.O_RDWR : Libc.O_RDONLY);
        if (fd < 0 && Marshal.GetLastPInvokeError() == ErrnoStatus.EACCES && stat.Uid == _server.Uid && ModeBits.IsOwner(caller, stat))
            fd = ReopenAsOwner(opened.Fd, need, stat);
        if (fd < 0)
            return Refuse(ref opened, ErrnoStatus.Last());
        opened.Dispose();
        opened = Share(_files.Add(handle, fd, need));
        return NfsStatus.Ok;
    }

    /// <summary>
    /// Opens a file of the server's own user whose mode keeps even its owner out. A client that created it so and goes on writing has every right to (it
    /// has it open); root needs no such trick, and for others there is no way but to let the owner in for a moment.
    /// </summary>
    private static unsafe int ReopenAsOwner(int place, OpenAs need, in StatX stat)
    {
        var path = new ProcPath(place);
        fixed (byte* start = &path.Start)
        {
            if (Libc.FChModAt(Libc.AT_FDCWD, start, stat.Permissions | 0x180 /* u+rw */, 0) != 0)
                return -1;
            int fd = ProcPath.Reopen(place, need == OpenAs.Writing ? Libc.O_RDWR : Libc.O_RDONLY);
            int errno = Marshal.GetLastPInvokeError();
            _ = Libc.FChModAt(Libc.AT_FDCWD, start, stat.Permissions, 0); // It worked a moment ago; the owner has the right either way.
            Marshal.SetLastPInvokeError(errno);
            return fd;
        }
    }

    private static NfsStatus WrongTypeForData(in StatX stat) => stat.IsDirectory ? NfsStatus.IsDir : NfsStatus.Inval;

    private static NfsStatus Refuse(ref Opened opened, NfsStatus status)
    {
        opened.Dispose();
        opened = default;
        return status;
    }
}
