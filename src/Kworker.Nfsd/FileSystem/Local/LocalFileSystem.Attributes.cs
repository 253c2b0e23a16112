namespace Kworker.Nfsd.FileSystem.Local;

// GETATTR, SETATTR, ACCESS, READLINK and what the file system as a whole is like.
public sealed partial class LocalFileSystem
{
    /// <inheritdoc/>
    public NfsStatus GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes)
    {
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(file, out Opened opened, out StatX stat);
        using (opened)
        {
            attributes = status == NfsStatus.Ok ? AttributesOf(opened.Fd, stat) : default;
            return status;
        }
    }

    /// <inheritdoc/>
    public NfsStatus SetAttributes(
        NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change)
    {
        change = default;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = changes.Size is null
            ? OpenPlace(file, out Opened opened, out StatX stat)
            : OpenData(file, OpenAs.Writing, caller, out opened, out stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            lock (ChangingOf(stat))
            {
                if (!LocalFile.TryStat(opened.Fd, out stat))
                    return ErrnoStatus.Last();
                if (guard is { } time && stat.Changed.Time != time)
                    status = NfsStatus.NotSync;
                ulong before = _changes.Begin(stat);
                if (status == NfsStatus.Ok && changes.Size is { } size)
                    status = SetSize(call, caller, opened.Fd, stat, size);
                if (status == NfsStatus.Ok)
                    status = SetOthers(call, caller, opened.Fd, stat, changes);
                call.ActAsServer();
                change = EndChange(opened.Fd, stat, before, isChanged: status == NfsStatus.Ok);
            }
            return status == NfsStatus.Ok ? SyncFile(opened, stat) : status;
        }
    }

    /// <summary>Sets the size as the caller; by a descriptor for writing.</summary>
    private NfsStatus SetSize(FileSystemCall call, NfsCredentials caller, int fd, in StatX stat, ulong size)
    {
        NfsStatus status = CheckData(call, caller, fd, stat, OpenAs.Writing);
        if (status != NfsStatus.Ok)
            return status;
        if (size > long.MaxValue)
            return NfsStatus.FBig;
        status = call.ActAs(caller); // Cutting a file takes its set-uid bit, unless root does it.
        if (status != NfsStatus.Ok)
            return status;
        return Libc.FTruncate(fd, (long)size) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
    }

    /// <summary>Sets owner, mode and times as the caller. The mode after the owner: a new owner takes the set-uid bit away.</summary>
    private unsafe NfsStatus SetOthers(FileSystemCall call, NfsCredentials caller, int fd, in StatX stat, in NfsAttributeChanges changes)
    {
        bool hasTimes = changes.AccessTime.Source != NfsTimeSource.DontChange || changes.ModifyTime.Source != NfsTimeSource.DontChange;
        if (changes.Uid is null && changes.Gid is null && changes.Mode is null && !hasTimes)
            return NfsStatus.Ok;
        NfsStatus status = _server.CanImpersonate ? call.ActAs(caller) : CheckSetOthers(caller, stat, changes);
        if (status != NfsStatus.Ok)
            return status;

        var path = new ProcPath(fd);
        fixed (byte* start = &path.Start, empty = "\0"u8)
        {
            if ((changes.Uid ?? changes.Gid) is not null
                && Libc.FChOwnAt(fd, empty, changes.Uid ?? uint.MaxValue, changes.Gid ?? uint.MaxValue, Libc.AT_EMPTY_PATH | Libc.AT_SYMLINK_NOFOLLOW) != 0)
            {
                return ErrnoStatus.Last();
            }
            if (changes.Mode is { } mode && Libc.FChModAt(Libc.AT_FDCWD, start, mode & 0xfff, 0) != 0)
                return ErrnoStatus.Last();
            if (!hasTimes)
                return NfsStatus.Ok;
            TimeSpec* times = stackalloc TimeSpec[2];
            times[0] = SpecOf(changes.AccessTime);
            times[1] = SpecOf(changes.ModifyTime);
            return Libc.UTimeNsAt(fd, empty, times, Libc.AT_EMPTY_PATH | Libc.AT_SYMLINK_NOFOLLOW) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
        }
    }

    /// <summary>What chown(2), chmod(2) and utimensat(2) would ask of the caller, where the kernel only sees the server.</summary>
    private static NfsStatus CheckSetOthers(NfsCredentials caller, in StatX stat, in NfsAttributeChanges changes)
    {
        bool isOwner = ModeBits.IsOwner(caller, stat);
        if (changes.Uid is { } uid && caller.Uid != 0 && !(isOwner && uid == stat.Uid))
            return NfsStatus.Perm;
        if (changes.Gid is { } gid && caller.Uid != 0 && !(isOwner && (gid == stat.Gid || caller.IsInGroup(gid))))
            return NfsStatus.Perm;
        if (changes.Mode is not null && !isOwner)
            return NfsStatus.Perm;
        if (changes.AccessTime.Source == NfsTimeSource.DontChange && changes.ModifyTime.Source == NfsTimeSource.DontChange)
            return NfsStatus.Ok;
        bool isNow = changes.AccessTime.Source == NfsTimeSource.Server && changes.ModifyTime.Source == NfsTimeSource.Server;
        if (isOwner)
            return NfsStatus.Ok;
        return !isNow ? NfsStatus.Perm : ModeBits.Allows(caller, stat, Libc.W_OK) ? NfsStatus.Ok : NfsStatus.Acces;
    }

    private static TimeSpec SpecOf(NfsTimeChange change) => change.Source switch
    {
        NfsTimeSource.Server => new TimeSpec { Nanoseconds = Libc.UTIME_NOW },
        NfsTimeSource.Client => new TimeSpec { Seconds = change.Time.Seconds, Nanoseconds = change.Time.Nanoseconds },
        _ => new TimeSpec { Nanoseconds = Libc.UTIME_OMIT },
    };

    /// <summary>Makes a file's attributes durable.</summary>
    private NfsStatus SyncFile(in Opened opened, in StatX stat)
    {
        if (_options.IsAsync)
            return NfsStatus.Ok;
        if (opened.Shared is { As: not OpenAs.Place } shared)
            return _files.Sync(shared, withAttributes: true);
        if (stat.IsRegular || stat.IsDirectory)
        {
            int fd = ProcPath.Reopen(opened.Fd, Libc.O_RDONLY);
            if (fd >= 0)
            {
                NfsStatus status = Libc.FSync(fd) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
                Libc.Close(fd);
                return status;
            }
        }
        // A link or a device has no descriptor to sync, a file that may not be read has none for us: all of the file system, then.
        return Libc.SyncFs(_root) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
    }

    /// <inheritdoc/>
    public NfsStatus Access(
        NfsCredentials caller, in NfsHandle file, NfsAccess requested, out NfsAccess granted, out NfsAttributes? attributes)
    {
        granted = NfsAccess.None;
        attributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(file, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            attributes = AttributesOf(opened.Fd, stat);
            status = call.ActAs(caller);
            if (status != NfsStatus.Ok)
                return NfsStatus.Ok; // An unknown user has no rights, which is an answer.
            bool isDirectory = stat.IsDirectory;
            const NfsAccess changing = NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete;
            if ((requested & NfsAccess.Read) != 0 && Has(caller, opened.Fd, stat, Libc.R_OK))
                granted |= NfsAccess.Read;
            if ((requested & (NfsAccess.Lookup | NfsAccess.Execute)) != 0 && Has(caller, opened.Fd, stat, Libc.X_OK))
                granted |= isDirectory ? NfsAccess.Lookup : NfsAccess.Execute;
            if ((requested & changing) != 0 && Has(caller, opened.Fd, stat, isDirectory ? Libc.W_OK | Libc.X_OK : Libc.W_OK))
                granted |= isDirectory ? changing : NfsAccess.Modify | NfsAccess.Extend;
            granted &= requested;
            return NfsStatus.Ok;
        }
    }

    /// <summary>Whether the caller has a right; under its credentials if those can be put on.</summary>
    private bool Has(NfsCredentials caller, int fd, in StatX stat, int right) =>
        (_server.CanImpersonate || ModeBits.Allows(caller, stat, right)) && Libc.FAccess(fd, right) == 0;

    /// <summary>Whether the caller may read or write a regular file's data.</summary>
    private NfsStatus CheckData(FileSystemCall call, NfsCredentials caller, int fd, in StatX stat, OpenAs need)
    {
        // The owner may have had it open when its mode was changed; for NFS, which has no open, that means always.
        if (ModeBits.IsOwner(caller, stat))
            return NfsStatus.Ok;
        NfsStatus status = call.ActAs(caller);
        if (status != NfsStatus.Ok)
            return status;
        int right = need == OpenAs.Writing ? Libc.W_OK : Libc.R_OK;
        bool may = Holds(caller, fd, stat, right)
            || (need == OpenAs.Reading && Holds(caller, fd, stat, Libc.X_OK)); // To execute is to read, on a client.
        call.ActAsServer();
        return may ? NfsStatus.Ok : NfsStatus.Acces;
    }

    /// <summary>Like <see cref="Has"/>, for a descriptor that is open for it: the server's own rights are proven.</summary>
    private bool Holds(NfsCredentials caller, int fd, in StatX stat, int right) =>
        _server.CanImpersonate ? Libc.FAccess(fd, right) == 0 : ModeBits.Allows(caller, stat, right);

    /// <summary>Whether the caller has rights on a directory.</summary>
    private NfsStatus CheckDirectory(FileSystemCall call, NfsCredentials caller, int fd, in StatX stat, int rights)
    {
        NfsStatus status = call.ActAs(caller);
        if (status != NfsStatus.Ok)
            return status;
        bool may = Holds(caller, fd, stat, rights);
        call.ActAsServer();
        return may ? NfsStatus.Ok : NfsStatus.Acces;
    }

    /// <inheritdoc/>
    public unsafe NfsStatus ReadLink(
        NfsCredentials caller, in NfsHandle link, Span<byte> buffer, out int length, out NfsAttributes? attributes)
    {
        length = 0;
        attributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(link, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            attributes = AttributesOf(opened.Fd, stat);
            if (stat.Type != NfsFileType.SymbolicLink)
                return NfsStatus.Inval;
            if ((ulong)buffer.Length < stat.Size)
                return NfsStatus.ServerFault;
            fixed (byte* start = buffer, empty = "\0"u8)
            {
                nint result = Libc.ReadLinkAt(opened.Fd, empty, start, buffer.Length);
                if (result < 0)
                    return ErrnoStatus.Last();
                length = (int)result;
                return NfsStatus.Ok;
            }
        }
    }

    /// <inheritdoc/>
    public unsafe NfsStatus GetSpace(NfsCredentials caller, in NfsHandle file, out NfsSpace space, out NfsAttributes? attributes)
    {
        space = default;
        attributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(file, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            attributes = AttributesOf(opened.Fd, stat);
            StatFs statistics;
            if (Libc.FStatFs(opened.Fd, &statistics) != 0)
                return ErrnoStatus.Last();
            ulong unit = (ulong)(statistics.FragmentSize > 0 ? statistics.FragmentSize : statistics.BlockSize);
            space = new NfsSpace
            {
                TotalBytes = statistics.Blocks * unit,
                FreeBytes = statistics.FreeBlocks * unit,
                AvailableBytes = statistics.AvailableBlocks * unit,
                TotalFiles = statistics.Files,
                FreeFiles = statistics.FreeFiles,
                AvailableFiles = statistics.FreeFiles,
            };
            return NfsStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public NfsStatus GetCapabilities(
        NfsCredentials caller, in NfsHandle file, out NfsCapabilities capabilities, out NfsAttributes? attributes)
    {
        capabilities = new NfsCapabilities
        {
            MaxFileSize = long.MaxValue,
            TimeGranularity = new NfsTime(0, 1),
            HasHardLinks = true,
            HasSymbolicLinks = true,
            IsHomogeneous = true,
            CanSetTime = true,
        };
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        return status;
    }

    /// <inheritdoc/>
    public unsafe NfsStatus GetPathLimits(NfsCredentials caller, in NfsHandle file, out NfsPathLimits limits, out NfsAttributes? attributes)
    {
        limits = default;
        attributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(file, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            attributes = AttributesOf(opened.Fd, stat);
            StatFs statistics;
            if (Libc.FStatFs(opened.Fd, &statistics) != 0)
                return ErrnoStatus.Last();
            nint links = Libc.FPathConf(_root, Libc._PC_LINK_MAX);
            limits = new NfsPathLimits
            {
                MaxLinks = links > 0 ? (uint)Math.Min(links, uint.MaxValue) : 1,
                MaxNameLength = (uint)statistics.NameLength,
                NoTruncation = true,
                ChownRestricted = true,
                CasePreserving = true,
            };
            return NfsStatus.Ok;
        }
    }
}
