using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// CREATE, MKDIR, SYMLINK, MKNOD.
public sealed partial class LocalFileSystem
{
    /// <inheritdoc/>
    public unsafe NfsStatus Create(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange)
    {
        file = default;
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Create);
        NfsStatus status = edit.Status;
        if (status != NfsStatus.Ok)
            return edit.Finish(status, out directoryChange);

        uint mode = how.Attributes.Mode ?? 0;
        const int flags = Libc.O_CREAT | Libc.O_EXCL | Libc.O_RDWR | Libc.O_CLOEXEC;
        int fd = Libc.OpenAt(edit.Fd, edit.Name, flags | Libc.O_NOFOLLOW, mode & 0xfff);
        if (fd < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            status = errno == ErrnoStatus.EEXIST && how.Mode != NfsCreateMode.Guarded
                ? TakeExisting(edit.Call, caller, edit.Fd, edit.Name, edit.Before, name, how, out file)
                : ErrnoStatus.Of(errno);
            return edit.Finish(status, out directoryChange);
        }

        NfsAttributeChanges rest = how.Mode == NfsCreateMode.Exclusive ? VerifierTimes(how.Verifier) : how.Attributes;
        status = FinishNew(edit.Call, caller, edit.Fd, fd, mode, rest, out StatX stat);
        if (status == NfsStatus.Ok && rest.Size is > 0 and { } size)
        {
            status = size > long.MaxValue ? NfsStatus.FBig : Libc.FTruncate(fd, (long)size) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
            LocalFile.TryStat(fd, out stat);
        }
        _changes.Made(stat);
        edit.Call.ActAsServer();
        file = Found(fd, stat, edit.Before.Inode, name);
        OpenFile made = _files.Add(file.Handle, fd, OpenAs.Writing); // The first WRITE comes soon.
        status = edit.Finish(status, out directoryChange, made);
        _files.Release(made);
        return status;
    }

    /// <summary>CREATE of a name that is taken: by a file that will do, by our own earlier run of the same request, or by something else.</summary>
    private unsafe NfsStatus TakeExisting(
        FileSystemCall call, NfsCredentials caller, int directory, byte* start, in StatX directoryStat, ReadOnlySpan<byte> name, in NfsCreateHow how,
        out NfsFile file)
    {
        file = default;
        NfsStatus status = OpenChild(call, caller, directory, start, out int place, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using Opened opened = Own(place);
        if (!stat.IsRegular)
            return NfsStatus.Exist;
        if (how.Mode == NfsCreateMode.Exclusive)
        {
            NfsAttributeChanges due = VerifierTimes(how.Verifier);
            if (stat.Size != 0 || stat.Accessed.Time != due.AccessTime.Time || stat.Modified.Time != due.ModifyTime.Time)
                return NfsStatus.Exist;
        }
        file = Found(place, stat, directoryStat.Inode, name);
        if (how.Mode == NfsCreateMode.Exclusive || how.Attributes.Size is not { } size)
            return NfsStatus.Ok;

        status = OpenData(file.Handle, OpenAs.Writing, caller, out Opened data, out stat);
        if (status != NfsStatus.Ok)
            return status;
        using (data)
        {
            ulong before = _changes.Begin(stat);
            status = SetSize(call, caller, data.Fd, stat, size);
            call.ActAsServer();
            file = file with { Attributes = EndChange(data.Fd, stat, before, isChanged: status == NfsStatus.Ok).After };
            return status == NfsStatus.Ok ? SyncFile(data, stat) : status;
        }
    }

    /// <summary>The verifier of an exclusive create, as the times that the file gets: there it survives everything that the file survives, until the client sets the times that it wants.</summary>
    /// <remarks>31 bits in each, as every file system can hold them; the nanoseconds are zero.</remarks>
    private static NfsAttributeChanges VerifierTimes(ulong verifier) => new()
    {
        ModifyTime = NfsTimeChange.To(new NfsTime((long)(verifier >> 32 & int.MaxValue), 0)),
        AccessTime = NfsTimeChange.To(new NfsTime((long)(verifier & int.MaxValue), 0)),
    };

    /// <inheritdoc/>
    public unsafe NfsStatus MakeDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file, out NfsChange directoryChange)
    {
        file = default;
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Create);
        NfsStatus status = edit.Status;
        if (status == NfsStatus.Ok && Libc.MkDirAt(edit.Fd, edit.Name, (attributes.Mode ?? 0) & 0xfff) != 0)
            status = ErrnoStatus.Last();
        if (status != NfsStatus.Ok)
            return edit.Finish(status, out directoryChange);

        status = OpenNew(edit.Call, caller, edit.Fd, edit.Name, edit.Before, name, attributes.Mode, attributes, out file);
        OpenFile? made = null;
        if (status == NfsStatus.Ok && OpenDirectory(file.Handle, out Opened opened, out _) == NfsStatus.Ok)
            made = KeepForSync(opened);
        status = edit.Finish(status, out directoryChange, made);
        if (made is not null)
            _files.Release(made);
        return status;
    }

    /// <summary>The cache's descriptor of a new directory; null if the server may not read it: then the directory above carries it through a crash.</summary>
    private static OpenFile? KeepForSync(in Opened opened)
    {
        if (opened.Shared is null)
            opened.Dispose();
        return opened.Shared;
    }

    /// <inheritdoc/>
    public unsafe NfsStatus MakeSymbolicLink(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in NfsAttributeChanges attributes,
        out NfsFile file, out NfsChange directoryChange)
    {
        const int longestTarget = 4095;
        file = default;
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Create);
        NfsStatus status = edit.Status;
        if (status == NfsStatus.Ok && (target.IsEmpty || target.Contains((byte)0)))
            status = NfsStatus.Inval;
        if (status == NfsStatus.Ok && target.Length > longestTarget)
            status = NfsStatus.NameTooLong;
        if (status == NfsStatus.Ok)
        {
            Span<byte> terminated = stackalloc byte[longestTarget + 1];
            target.CopyTo(terminated);
            terminated[target.Length] = 0;
            fixed (byte* start = terminated)
                status = Libc.SymLinkAt(start, edit.Fd, edit.Name) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
        }
        if (status == NfsStatus.Ok)
            status = OpenNew(edit.Call, caller, edit.Fd, edit.Name, edit.Before, name, wantedMode: null, attributes, out file);
        return edit.Finish(status, out directoryChange);
    }

    /// <inheritdoc/>
    public unsafe NfsStatus MakeSpecial(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsSpecialFile special, out NfsFile file, out NfsChange directoryChange)
    {
        uint type = special.Type switch
        {
            NfsFileType.BlockDevice => 0x6000,
            NfsFileType.CharacterDevice => 0x2000,
            NfsFileType.Socket => 0xc000,
            NfsFileType.NamedPipe => 0x1000,
            _ => 0,
        };
        file = default;
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Create);
        NfsStatus status = type == 0 && edit.Status == NfsStatus.Ok ? NfsStatus.BadType : edit.Status;
        if (status == NfsStatus.Ok
            && Libc.MkNodAt(edit.Fd, edit.Name, type | ((special.Attributes.Mode ?? 0) & 0xfff), MakeDevice(special.Major, special.Minor)) != 0)
        {
            status = ErrnoStatus.Last();
        }
        if (status == NfsStatus.Ok)
            status = OpenNew(edit.Call, caller, edit.Fd, edit.Name, edit.Before, name, special.Attributes.Mode, special.Attributes, out file);
        return edit.Finish(status, out directoryChange);
    }

    /// <summary><c>makedev(3)</c>.</summary>
    private static ulong MakeDevice(uint major, uint minor) =>
        (ulong)(major & 0xfffff000) << 32 | (major & 0xfffu) << 8 | (ulong)(minor & 0xffffff00) << 12 | (minor & 0xffu);

    /// <summary>Opens what was just made under the caller's credentials, and gives it the attributes asked for.</summary>
    private unsafe NfsStatus OpenNew(
        FileSystemCall call, NfsCredentials caller, int directory, byte* start, in StatX directoryStat, ReadOnlySpan<byte> name, uint? wantedMode,
        in NfsAttributeChanges attributes, out NfsFile file)
    {
        file = default;
        int fd = LocalFile.OpenPlace(directory, start);
        if (fd < 0)
            return ErrnoStatus.Last();
        using Opened opened = Own(fd);
        NfsStatus status = FinishNew(call, caller, directory, fd, wantedMode, attributes, out StatX stat);
        _changes.Made(stat);
        call.ActAsServer();
        file = Found(fd, stat, directoryStat.Inode, name);
        return status;
    }

    /// <summary>Gives a new file what its making could not: mode bits that the process's umask took, times, and, if root made it, the owner.</summary>
    private unsafe NfsStatus FinishNew(
        FileSystemCall call, NfsCredentials caller, int directory, int fd, uint? wantedMode, in NfsAttributeChanges attributes, out StatX stat)
    {
        if (!LocalFile.TryStat(fd, out stat))
            return ErrnoStatus.Last();
        NfsAttributeChanges rest = attributes;
        uint missing = (wantedMode ?? 0) & 0xfff & ~stat.Permissions;
        rest.Mode = missing != 0 && !HasDefaultAcl(directory) ? stat.Permissions | missing : null;
        if (caller.Uid != 0)
        {
            // Whoever makes a file owns it; some clients send ids along that only root may set.
            rest.Uid = null;
            rest.Gid = null;
        }
        // Where the kernel only sees the server, the file is the server's: the caller's right to a file just made needs no check.
        NfsStatus status = SetOthers(call, _server.CanImpersonate ? caller : NfsCredentials.Root, fd, stat, rest);
        return LocalFile.TryStat(fd, out stat) ? status : ErrnoStatus.Last();
    }

    /// <summary>Whether the directory's default access control list, not the umask, has a say in the mode of new files.</summary>
    private static unsafe bool HasDefaultAcl(int directory)
    {
        var path = new ProcPath(directory);
        fixed (byte* start = &path.Start, name = "system.posix_acl_default"u8)
            return Libc.GetXAttr(start, name, null, 0) > 0;
    }
}
