
namespace Kworker.Nfsd.FileSystem.Local;

// LOOKUP, REMOVE, RMDIR, RENAME, LINK.
public sealed partial class LocalFileSystem
{
    /// <inheritdoc/>
    public unsafe NfsStatus Lookup(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes)
    {
        file = default;
        directoryAttributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenDirectory(directory, out Opened opened, out StatX above);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            directoryAttributes = AttributesOf(opened.Fd, above);
            var buffer = new NameBuffer();
            status = buffer.Set(name, NfsNameUse.Lookup);
            if (status != NfsStatus.Ok)
                return status;
            if (!_server.CanImpersonate && !ModeBits.Allows(caller, above, Libc.X_OK))
                return NfsStatus.Acces;
            bool isUp = name.SequenceEqual(".."u8);
            if (isUp && directory == _rootHandle)
                buffer.Set("."u8, NfsNameUse.Lookup); // The root has nothing above it.
            fixed (byte* start = &buffer.Start)
            {
                status = OpenChild(call, caller, opened.Fd, start, out int fd, out StatX stat);
                if (status != NfsStatus.Ok)
                    return status;
                status = isUp && !IsInside(fd, stat) ? NfsStatus.Stale : NfsStatus.Ok;
                if (status == NfsStatus.Ok)
                    file = Found(fd, stat, above.Inode, name);
                Libc.Close(fd);
                return status;
            }
        }
    }

    /// <summary>Opens a name as a place on behalf of the caller; not across a mount point.</summary>
    private unsafe NfsStatus OpenChild(FileSystemCall call, NfsCredentials caller, int directory, byte* name, out int fd, out StatX stat)
    {
        stat = default;
        fd = -1;
        NfsStatus status = call.ActAs(caller);
        if (status != NfsStatus.Ok)
            return status;
        fd = LocalFile.OpenPlace(directory, name);
        status = fd < 0 || !LocalFile.TryStat(fd, out stat) ? ErrnoStatus.Last() : NfsStatus.Ok;
        call.ActAsServer();
        if (status == NfsStatus.Ok && !stat.IsSameMount(_rootStat))
            status = NfsStatus.Acces; // Another file system, which nobody exported.
        if (status != NfsStatus.Ok && fd >= 0)
            Libc.Close(fd);
        return status;
    }

    private NfsFile Found(int fd, in StatX stat, ulong directory, ReadOnlySpan<byte> name)
    {
        if (!NfsName.IsDotOrDotDot(name))
            _places?.Note(stat.Inode, directory, name);
        return new NfsFile(FileIdentity.Describe(fd, stat), AttributesOf(fd, stat));
    }

    /// <inheritdoc/>
    public NfsStatus Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange)
    {
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Remove);
        NfsStatus status = edit.Status;
        if (status == NfsStatus.Ok)
            status = Unlink(edit, caller, flags: 0);
        return edit.Finish(status, out directoryChange);
    }

    /// <inheritdoc/>
    public NfsStatus RemoveDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange)
    {
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.RemoveDirectory);
        NfsStatus status = edit.Status;
        if (status == NfsStatus.Ok)
            status = Unlink(edit, caller, Libc.AT_REMOVEDIR);
        return edit.Finish(status, out directoryChange);
    }

    private unsafe NfsStatus Unlink(DirectoryEdit edit, NfsCredentials caller, int flags)
    {
        NfsStatus status = PrepareRemoval(caller, edit.Fd, edit.Before, edit.Name, out NameChange victim);
        if (status != NfsStatus.Ok)
            return status;
        status = Libc.UnlinkAt(edit.Fd, edit.Name, flags) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
        edit.Call.ActAsServer();
        victim.End(isDone: status == NfsStatus.Ok);
        if (status == NfsStatus.Ok)
            _files.Forget(victim.Handle); // If it has other names, it is opened again when needed.
        return status;
    }

    /// <summary>
    /// A file that changes by way of its names: a link less, or another name. The names are the directories' affair, the file's count of links and its ctime its own.
    /// The default value is no file.
    /// </summary>
    private readonly struct NameChange
    {
        private readonly LocalFileSystem? _owner;
        private readonly int _fd;
        private readonly StatX _before;

        public NameChange(LocalFileSystem owner, int fd, in StatX before, in NfsHandle handle)
        {
            _owner = owner;
            _fd = fd;
            _before = before;
            Handle = handle;
            owner._changes.Begin(before);
        }

        public NfsHandle Handle { get; }

        /// <summary>Ends it, and closes the descriptor.</summary>
        public void End(bool isDone)
        {
            if (_owner is null)
                return;
            _owner.EndChange(_fd, _before, 0, isDone);
            Libc.Close(_fd);
        }
    }

    /// <summary>Finds what a name that is to go stands for, and checks the sticky bit where the kernel only sees the server.</summary>
    private unsafe NfsStatus PrepareRemoval(NfsCredentials caller, int directory, in StatX directoryStat, byte* name, out NameChange victim)
    {
        victim = default;
        int fd = LocalFile.OpenPlace(directory, name);
        if (fd < 0)
            return ErrnoStatus.Last();
        NfsStatus status = LocalFile.TryStat(fd, out StatX stat) ? NfsStatus.Ok : ErrnoStatus.Last();
        if (status == NfsStatus.Ok && !_server.CanImpersonate && !ModeBits.AllowsRemoval(caller, directoryStat, stat))
            status = NfsStatus.Perm;
        if (status != NfsStatus.Ok)
        {
            Libc.Close(fd);
            return status;
        }
        victim = new NameChange(this, fd, stat, FileIdentity.Describe(fd, stat));
        return NfsStatus.Ok;
    }

    /// <inheritdoc/>
    public unsafe NfsStatus Rename(
        NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName,
        out NfsChange fromChange, out NfsChange toChange)
    {
        fromChange = default;
        toChange = default;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenDirectory(fromDirectory, out Opened from, out StatX fromStat);
        if (status != NfsStatus.Ok)
            return status;
        using (from)
        {
            status = OpenDirectory(toDirectory, out Opened to, out StatX toStat);
            if (status != NfsStatus.Ok)
            {
                fromChange = new NfsChange(null, AttributesOf(from.Fd, fromStat));
                return status;
            }
            using (to)
            {
                NameBuffer fromBuffer = default, toBuffer = default;
                status = fromBuffer.Set(fromName, NfsNameUse.Remove);
                if (status == NfsStatus.Ok)
                    status = toBuffer.Set(toName, NfsNameUse.Remove);

                (object first, object second) = InOrder(fromStat, toStat);
                lock (first)
                    lock (second)
                    {
                        if (!LocalFile.TryStat(from.Fd, out fromStat) || !LocalFile.TryStat(to.Fd, out toStat))
                            return ErrnoStatus.Last();
                        bool isSame = fromDirectory == toDirectory;
                        ulong fromBefore = _changes.Begin(fromStat), toBefore = isSame ? fromBefore : _changes.Begin(toStat);
                        if (status == NfsStatus.Ok)
                        {
                            fixed (byte* fromStart = &fromBuffer.Start, toStart = &toBuffer.Start)
                                status = RenameAs(call, caller, from.Fd, fromStat, fromStart, to.Fd, toStat, toStart, toName);
                        }
                        fromChange = EndChange(from.Fd, fromStat, fromBefore, isChanged: status == NfsStatus.Ok);
                        toChange = isSame ? fromChange : EndChange(to.Fd, toStat, toBefore, isChanged: status == NfsStatus.Ok);
                    }
                if (status != NfsStatus.Ok)
                    return status;
                status = SyncFile(to, toStat); // The new name first: a crash between must not lose both.
                return status == NfsStatus.Ok && fromDirectory != toDirectory ? SyncFile(from, fromStat) : status;
            }
        }
    }

    private (object First, object Second) InOrder(in StatX one, in StatX other)
    {
        ulong count = (ulong)_changing.Length;
        return one.Inode % count <= other.Inode % count ? (ChangingOf(one), ChangingOf(other)) : (ChangingOf(other), ChangingOf(one));
    }

    private unsafe NfsStatus RenameAs(
        FileSystemCall call, NfsCredentials caller, int from, in StatX fromStat, byte* fromName, int to, in StatX toStat, byte* toName,
        ReadOnlySpan<byte> newName)
    {
        if (CheckEdit(caller, fromStat) != NfsStatus.Ok || CheckEdit(caller, toStat) != NfsStatus.Ok)
            return NfsStatus.Acces;
        NfsStatus status = call.ActAs(caller);
        if (status != NfsStatus.Ok)
            return status;

        // What is moved, and what it replaces: the one is remembered at its new place, the other's descriptor is let go.
        int fd = LocalFile.OpenPlace(from, fromName);
        if (fd < 0)
            return ErrnoStatus.Last();
        if (!LocalFile.TryStat(fd, out StatX movedStat))
        {
            status = ErrnoStatus.Last();
            Libc.Close(fd);
            return status;
        }
        var moved = new NameChange(this, fd, movedStat, default);
        NameChange replaced = default;
        status = CheckMove(caller, fromStat, toStat, movedStat);
        if (status == NfsStatus.Ok)
            status = PrepareRemoval(caller, to, toStat, toName, out replaced);
        if (status is NfsStatus.Ok or NfsStatus.NoEnt)
            status = Libc.RenameAt(from, fromName, to, toName) == 0 ? NfsStatus.Ok : ErrnoStatus.Last();
        call.ActAsServer();
        moved.End(isDone: status == NfsStatus.Ok);
        replaced.End(isDone: status == NfsStatus.Ok);
        if (status != NfsStatus.Ok)
            return status;
        _places?.Note(movedStat.Inode, toStat.Inode, newName);
        if (replaced.Handle.Length > 0)
            _files.Forget(replaced.Handle);
        return NfsStatus.Ok;
    }

    /// <summary>What rename(2) asks of the caller beyond the two directories, where the kernel only sees the server.</summary>
    private NfsStatus CheckMove(NfsCredentials caller, in StatX from, in StatX to, in StatX moved)
    {
        if (_server.CanImpersonate)
            return NfsStatus.Ok;
        if (!ModeBits.AllowsRemoval(caller, from, moved))
            return NfsStatus.Perm;
        bool changesParent = moved.IsDirectory && (from.Inode != to.Inode || from.Device != to.Device);
        return changesParent && !ModeBits.Allows(caller, moved, Libc.W_OK) ? NfsStatus.Acces : NfsStatus.Ok;
    }

    /// <inheritdoc/>
    public unsafe NfsStatus Link(
        NfsCredentials caller, in NfsHandle file, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsAttributes? attributes, out NfsChange directoryChange)
    {
        attributes = null;
        using var edit = new DirectoryEdit(this, caller, directory, name, NfsNameUse.Create);
        NfsStatus status = edit.Status;
        if (status != NfsStatus.Ok)
            return edit.Finish(status, out directoryChange);

        edit.Call.ActAsServer(); // The handle is opened by the server's right.
        status = OpenPlace(file, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return edit.Finish(status, out directoryChange);
        using (opened)
        {
            if (stat.IsDirectory)
                status = NfsStatus.IsDir;
            else
                status = edit.Call.ActAs(caller);
            var path = new ProcPath(opened.Fd);
            ulong before = _changes.Begin(stat);
            fixed (byte* start = &path.Start)
            {
                if (status == NfsStatus.Ok && Libc.LinkAt(Libc.AT_FDCWD, start, edit.Fd, edit.Name, Libc.AT_SYMLINK_FOLLOW) != 0)
                    status = ErrnoStatus.Last();
            }
            edit.Call.ActAsServer();
            attributes = EndChange(opened.Fd, stat, before, isChanged: status == NfsStatus.Ok).After;
            status = edit.Finish(status, out directoryChange);
            return status == NfsStatus.Ok ? SyncFile(opened, stat) : status;
        }
    }
}
