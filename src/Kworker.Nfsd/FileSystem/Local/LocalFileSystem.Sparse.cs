using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// ALLOCATE, DEALLOCATE, SEEK.
public sealed partial class LocalFileSystem : INfsSparseFiles
{
    /// <inheritdoc/>
    public NfsStatus Allocate(NfsCredentials caller, in NfsHandle file, ulong offset, ulong length, out NfsChange change) =>
        ChangeStorage(caller, file, 0, offset, length, out change);

    /// <inheritdoc/>
    public NfsStatus Deallocate(NfsCredentials caller, in NfsHandle file, ulong offset, ulong length, out NfsChange change) =>
        ChangeStorage(caller, file, Libc.FALLOC_FL_KEEP_SIZE | Libc.FALLOC_FL_PUNCH_HOLE, offset, length, out change);

    private NfsStatus ChangeStorage(NfsCredentials caller, in NfsHandle file, int mode, ulong offset, ulong length, out NfsChange change)
    {
        change = default;
        if (offset > long.MaxValue || length > long.MaxValue - offset)
            return NfsStatus.FBig;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenData(file, OpenAs.Writing, caller, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            lock (ChangingOf(stat))
            {
                if (!LocalFile.TryStat(opened.Fd, out stat))
                    return ErrnoStatus.Last();
                status = CheckData(call, caller, opened.Fd, stat, OpenAs.Writing);
                ulong before = _changes.Begin(stat);
                if (status == NfsStatus.Ok)
                    status = call.ActAs(caller); // It takes the set-uid bit, and is subject to quotas.
                if (status == NfsStatus.Ok && Libc.FAllocate(opened.Fd, mode, (long)offset, (long)length) != 0)
                    status = ErrnoStatus.Last();
                call.ActAsServer();
                change = EndChange(opened.Fd, stat, before, isChanged: status == NfsStatus.Ok);
            }
            opened.Shared!.IsDirty = true;
            return status == NfsStatus.Ok && !_options.IsAsync ? _files.Sync(opened.Shared, withAttributes: true) : status;
        }
    }

    /// <inheritdoc/>
    public NfsStatus Seek(NfsCredentials caller, in NfsHandle file, ulong offset, bool forHole, out ulong found, out bool isEnd)
    {
        found = 0;
        isEnd = false;
        if (offset > long.MaxValue)
            return NfsStatus.Nxio;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenData(file, OpenAs.Reading, caller, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            status = CheckData(call, caller, opened.Fd, stat, OpenAs.Reading);
            if (status != NfsStatus.Ok)
                return status;
            // The descriptor is shared, and so is its position; but nobody reads by it.
            long place = Libc.LSeek(opened.Fd, (long)offset, forHole ? Libc.SEEK_HOLE : Libc.SEEK_DATA);
            if (place < 0)
                return ErrnoStatus.Of(Marshal.GetLastPInvokeError());
            found = (ulong)place;
            isEnd = found >= stat.Size;
            return NfsStatus.Ok;
        }
    }
}
