using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// READ, WRITE, COMMIT.
public sealed partial class LocalFileSystem
{
    /// <inheritdoc/>
    public unsafe NfsStatus Read(
        NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes)
    {
        count = 0;
        isEnd = false;
        attributes = null;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenData(file, OpenAs.Reading, caller, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            status = CheckData(call, caller, opened.Fd, stat, OpenAs.Reading);
            bool isEmpty = false;
            if (status == NfsStatus.Ok && offset <= long.MaxValue)
            {
                fixed (byte* start = buffer)
                {
                    while (count < buffer.Length && !isEmpty)
                    {
                        nint read = Libc.PRead(opened.Fd, start + count, buffer.Length - count, (long)offset + count);
                        int errno = read < 0 ? Marshal.GetLastPInvokeError() : 0;
                        if (read > 0)
                            count += (int)read;
                        else if (read == 0)
                            isEmpty = true;
                        else if (errno != ErrnoStatus.EINTR)
                        {
                            // What was read counts; the client comes back for the rest and gets the error then.
                            status = count > 0 ? NfsStatus.Ok : ErrnoStatus.Of(errno);
                            break;
                        }
                    }
                }
            }
            if (LocalFile.TryStat(opened.Fd, out stat))
                attributes = AttributesOf(opened.Fd, stat);
            isEnd = isEmpty || offset + (ulong)count >= stat.Size;
            return status;
        }
    }

    /// <inheritdoc/>
    public NfsStatus Write(
        NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability,
        out NfsWritten written, out NfsChange change)
    {
        change = default;
        ulong epoch = _files.Epoch;
        written = new NfsWritten(0, stability, epoch);
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenData(file, OpenAs.Writing, caller, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            int count = 0;
            lock (ChangingOf(stat))
            {
                if (!LocalFile.TryStat(opened.Fd, out stat))
                    return ErrnoStatus.Last();
                status = CheckData(call, caller, opened.Fd, stat, OpenAs.Writing);
                ulong before = _changes.Begin(stat);
                if (status == NfsStatus.Ok)
                    status = WriteAs(call, caller, opened, stat, offset, data, out count);
                change = EndChange(opened.Fd, stat, before, isChanged: count > 0);
            }
            if (status == NfsStatus.Ok && stability != NfsStability.Unstable && !_options.IsAsync)
                status = _files.Sync(opened.Shared!, withAttributes: stability == NfsStability.FileSync);
            written = new NfsWritten(count, stability, epoch);
            return status;
        }
    }

    private unsafe NfsStatus WriteAs(
        FileSystemCall call, NfsCredentials caller, in Opened opened, in StatX stat, ulong offset, ReadOnlySpan<byte> data, out int count)
    {
        const uint setIdBits = 0xc00;
        count = 0;
        if (data.IsEmpty)
            return NfsStatus.Ok;
        if (offset > long.MaxValue || (ulong)data.Length > long.MaxValue - offset)
            return NfsStatus.FBig;
        if ((stat.Permissions & setIdBits) != 0)
        {
            // Writing takes the set-uid and set-gid bits, unless root does it: the kernel must see who writes.
            NfsStatus status = call.ActAs(caller);
            if (status != NfsStatus.Ok)
                return status;
        }
        opened.Shared!.IsDirty = true;
        NfsStatus result = NfsStatus.Ok;
        fixed (byte* start = data)
        {
            while (count < data.Length)
            {
                nint wrote = Libc.PWrite(opened.Fd, start + count, data.Length - count, (long)offset + count);
                if (wrote > 0)
                {
                    count += (int)wrote;
                    continue;
                }
                int errno = Marshal.GetLastPInvokeError();
                if (wrote < 0 && errno == ErrnoStatus.EINTR)
                    continue;
                // What went through counts; the client writes the rest and then gets the error.
                result = count > 0 ? NfsStatus.Ok : wrote == 0 ? NfsStatus.Io : ErrnoStatus.Of(errno);
                break;
            }
        }
        call.ActAsServer();
        return result;
    }

    /// <inheritdoc/>
    public NfsStatus Commit(NfsCredentials caller, in NfsHandle file, ulong offset, uint count, out ulong epoch, out NfsChange change)
    {
        change = default;
        epoch = _files.Epoch;
        using FileSystemCall call = FileSystemCall.Begin(_server);

        // Any descriptor will do to sync, the one that was written through best: it remembers errors.
        NfsStatus status = OpenData(file, OpenAs.Reading, caller, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            status = CheckData(call, caller, opened.Fd, stat, OpenAs.Writing);
            if (status == NfsStatus.Ok && !_options.IsAsync)
                status = _files.Sync(opened.Shared!, withAttributes: true);
            epoch = _files.Epoch;
            change = new NfsChange(null, TryGetAttributes(opened.Fd));
            return status;
        }
    }
}
