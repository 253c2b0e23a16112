using System.Buffers;
using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// READDIR, READDIRPLUS.
public sealed partial class LocalFileSystem
{
    // About as much as fills one reply: what is read beyond it is read again by the next call.
    private const int ListingBufferSize = 8 * 1024;

    /// <inheritdoc/>
    /// <remarks>
    /// Cookies are the kernel's own directory offsets, which each file system keeps meaningful while entries come and go (a hash of the name on
    /// ext4, a key on xfs and btrfs); going on costs a seek, not a scan. So cookies never expire, and the verifier is always 0.
    /// </remarks>
    public NfsStatus ReadDirectory(
        NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor, out NfsDirectoryRead read)
    {
        read = default;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenDirectory(directory, out Opened opened, out StatX stat);
        if (status != NfsStatus.Ok)
            return status;
        using (opened)
        {
            status = CheckDirectory(call, caller, opened.Fd, stat, Libc.R_OK);
            if (status == NfsStatus.Ok && opened.Shared is not { As: not OpenAs.Place })
                status = NfsStatus.Acces; // The server itself may not read it.
            if (status == NfsStatus.Ok && (cookie > long.MaxValue || verifier != 0))
                status = NfsStatus.BadCookie;
            bool isEnd = false;
            if (status == NfsStatus.Ok)
            {
                bool mayLookUp = withFiles && CheckDirectory(call, caller, opened.Fd, stat, Libc.X_OK) == NfsStatus.Ok;
                lock (opened.Shared!.Listing)
                    status = List(opened.Fd, stat, directory == _rootHandle, (long)cookie, mayLookUp, visitor, out isEnd);
            }
            read = new NfsDirectoryRead(0, isEnd, TryGetAttributes(opened.Fd));
            return status;
        }
    }

    private unsafe NfsStatus List(int fd, in StatX stat, bool isRoot, long cookie, bool withFiles, INfsDirectoryVisitor visitor, out bool isEnd)
    {
        isEnd = false;
        if (Libc.LSeek(fd, cookie, 0) < 0)
            return Marshal.GetLastPInvokeError() == ErrnoStatus.EINVAL ? NfsStatus.BadCookie : ErrnoStatus.Last();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ListingBufferSize);
        try
        {
            while (true)
            {
                nint length;
                fixed (byte* start = buffer)
                    length = Libc.GetDents64(fd, start, ListingBufferSize);
                if (length < 0)
                    return ErrnoStatus.Last();
                isEnd = length == 0;
                if (isEnd)
                    return NfsStatus.Ok;
                ReadOnlySpan<byte> records = buffer.AsSpan(0, (int)length);
                while (!records.IsEmpty)
                {
                    if (!Show(DirectoryRecord.Read(ref records), fd, stat, isRoot, withFiles, visitor))
                        return NfsStatus.Ok;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool Show(in DirectoryRecord record, int directory, in StatX stat, bool isRoot, bool withFiles, INfsDirectoryVisitor visitor)
    {
        bool isUp = record.Name.SequenceEqual(".."u8);
        NfsFile? file = null;
        ulong fileId = isUp && isRoot ? FileIdOf(stat) : record.Inode; // What lies above the export is nobody's business.
        if (withFiles && !isUp)
        {
            // As the server: the caller may search this directory, which is all that a look-up asks; and the visitor must not run as the caller.
            int place = LocalFile.OpenPlace(directory, record.Name);
            if (place >= 0)
            {
                if (LocalFile.TryStat(place, out StatX found) && found.IsSameMount(_rootStat))
                {
                    file = Found(place, found, stat.Inode, record.Name);
                    fileId = FileIdOf(found);
                }
                Libc.Close(place);
            }
        }
        return visitor.Visit(new NfsDirectoryEntry { Name = record.Name, FileId = fileId, Cookie = (ulong)record.Offset, File = file });
    }
}
