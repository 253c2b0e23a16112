using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Kworker.Nfsd.FileSystem.Local;

// What all operations that change a directory have in common.
public sealed partial class LocalFileSystem
{
    /// <summary>
    /// One change to a directory: opens it, keeps other changes of it out, knows its attributes before, and in the end gives those after and makes the change
    /// durable. Lives on the stack, where its name buffer stays in place.
    /// </summary>
    private unsafe ref struct DirectoryEdit
    {
        private readonly LocalFileSystem _owner;
        private readonly FileSystemCall _call;
        private readonly Opened _directory;
        private readonly StatX _before;
        private NameBuffer _name;
        private bool _isLocked;
        private bool _isCounted;
        private readonly ulong _beforeChange;

        /// <summary>Begins; on any other <see cref="Status"/> than Ok nothing was opened.</summary>
        public DirectoryEdit(LocalFileSystem owner, NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, NfsNameUse use)
        {
            _owner = owner;
            _call = FileSystemCall.Begin(owner._server);
            Status = owner.OpenDirectory(directory, out _directory, out _before);
            if (Status != NfsStatus.Ok)
                return;
            IsOpen = true;
            Status = _name.Set(name, use);
            object changing = owner.ChangingOf(_before);
            Monitor.Enter(changing, ref _isLocked);
            if (!LocalFile.TryStat(_directory.Fd, out _before))
                Status = ErrnoStatus.Last();
            _beforeChange = owner._changes.Begin(_before);
            _isCounted = true;
            if (Status == NfsStatus.Ok)
                Status = owner.CheckEdit(caller, _before);
            if (Status == NfsStatus.Ok)
                Status = _call.ActAs(caller);
        }

        public NfsStatus Status { get; }
        public bool IsOpen { get; }
        public readonly FileSystemCall Call => _call;
        public readonly int Fd => _directory.Fd;

        /// <summary>The directory as it was.</summary>
        [UnscopedRef]
        public readonly ref readonly StatX Before => ref _before;

        /// <summary>The name, a zero behind it.</summary>
        public byte* Name => (byte*)Unsafe.AsPointer(ref _name.Start);

        /// <summary>Ends the change: attributes after, and, if it was made, a sync of what was made and of the directory.</summary>
        /// <param name="status">What came of it.</param>
        /// <param name="change">The directory before and after.</param>
        /// <param name="made">A file to sync with it.</param>
        public NfsStatus Finish(NfsStatus status, out NfsChange change, OpenFile? made = null)
        {
            change = default;
            _call.ActAsServer();
            if (!IsOpen)
                return status;
            _isCounted = false;
            change = _owner.EndChange(_directory.Fd, _before, _beforeChange, isChanged: status == NfsStatus.Ok);
            Unlock(); // Syncing takes long, and the directory is done with.
            if (status != NfsStatus.Ok || _owner._options.IsAsync)
                return status;
            if (made is not null)
                status = _owner._files.Sync(made, withAttributes: true);
            return status == NfsStatus.Ok ? _owner.SyncFile(_directory, _before) : status;
        }

        public void Dispose()
        {
            if (_isCounted)
                _owner._changes.End(_before, null, isChanged: false);
            Unlock();
            _call.Dispose();
            _directory.Dispose();
        }

        private void Unlock()
        {
            if (!_isLocked)
                return;
            Monitor.Exit(_owner.ChangingOf(_before));
            _isLocked = false;
        }
    }

    /// <summary>Whether the caller may add and remove names, where the kernel only sees the server.</summary>
    private NfsStatus CheckEdit(NfsCredentials caller, in StatX directory) =>
        _server.CanImpersonate || ModeBits.Allows(caller, directory, Libc.W_OK | Libc.X_OK) ? NfsStatus.Ok : NfsStatus.Acces;
}
