using System.Buffers.Binary;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.SunRpc;
using Microsoft.Win32.SafeHandles;

namespace Kworker.Nfsd.Server;

/// <summary>What the lock manager asks about files, answered by the exports (<c>nlm_fopen</c> in <c>fs/nfsd/lockd.c</c>). Thread-safe.</summary>
/// <remarks>A lock's file is the number of its file system among those served, and the handle that this has made: one file exported twice is one file.</remarks>
internal sealed class ServedLockFiles : INlmFiles, ILocalLockFiles
{
    private readonly ServedExports _exports;
    // A file system's number is its place here. Replaced by longer ones under _adding; one that is not exported any more keeps its number, as locks in it may stand.
    private volatile INfsFileSystem[] _fileSystems = [];
    private readonly Lock _adding = new();

    public ServedLockFiles(ServedExports exports) => _exports = exports;

    /// <inheritdoc/>
    public Nlm4Stats Find(RpcCall call, ReadOnlySpan<byte> handle, out LockFileKey file) => Find(call, handle, out file, out _);

    /// <inheritdoc/>
    public Nlm4Stats Open(RpcCall call, ReadOnlySpan<byte> handle, LockKind kind, out LockFileKey file)
    {
        Nlm4Stats found = Find(call, handle, out file, out NfsObject target);
        if (found != Nlm4Stats.Granted)
            return found;
        if (kind == LockKind.Write && target.CheckWritable() != NfsStatus.Ok)
            return Nlm4Stats.RoFs;
        NfsStatus status = target.FileSystem.Access(target.Caller, target.Handle, NfsAccess.Read, out NfsAccess granted, out NfsAttributes? given);
        if (status != NfsStatus.Ok)
            return StatusOf(status);
        if (target.Complete(given) is not { } attributes)
            return Nlm4Stats.StaleFh;
        // To lock, one must be able to read, or own the file (NFSD_MAY_LOCK); a regular one.
        bool mayLock = (granted & NfsAccess.Read) != 0 || attributes.Uid == target.Caller.Uid;
        return attributes.Type == NfsFileType.Regular && mayLock ? Nlm4Stats.Granted : Nlm4Stats.Failed;
    }

    /// <inheritdoc/>
    public SafeFileHandle? Open(LockFileKey file, out bool canWrite)
    {
        canWrite = false;
        if (!OperatingSystem.IsLinux() || _fileSystems[BinaryPrimitives.ReadInt32BigEndian(file.Bytes)] is not LocalFileSystem local)
            return null;
        NfsStatus status = local.OpenForLocks(new NfsHandle(file.Bytes[sizeof(int)..]), out canWrite, out SafeFileHandle? handle);
        return status switch
        {
            NfsStatus.Ok => handle,
            // What is gone, or shut even to the server, no local program can be kept from.
            NfsStatus.Stale or NfsStatus.Acces or NfsStatus.Perm => null,
            _ => throw new IOException($"the file cannot be opened to be locked: {status}"),
        };
    }

    /// <summary>How the lock table calls a file.</summary>
    public LockFileKey KeyOf(INfsFileSystem fileSystem, in NfsHandle handle)
    {
        Span<byte> key = stackalloc byte[sizeof(int) + NfsHandle.MaxLength];
        BinaryPrimitives.WriteInt32BigEndian(key, NumberOf(fileSystem));
        handle.Bytes.CopyTo(key[sizeof(int)..]);
        return new LockFileKey(key[..(sizeof(int) + handle.Length)]);
    }

    private int NumberOf(INfsFileSystem fileSystem)
    {
        int number = Array.IndexOf(_fileSystems, fileSystem); // As many as there are exports at most: a few.
        if (number >= 0)
            return number;
        lock (_adding)
        {
            number = Array.IndexOf(_fileSystems, fileSystem);
            if (number < 0)
            {
                number = _fileSystems.Length;
                _fileSystems = [.. _fileSystems, fileSystem];
            }
            return number;
        }
    }

    private Nlm4Stats Find(RpcCall call, ReadOnlySpan<byte> handle, out LockFileKey file, out NfsObject target)
    {
        file = default;
        NfsStatus status = _exports.Open(call, handle, out target);
        if (status != NfsStatus.Ok)
            return StatusOf(status);
        file = KeyOf(target.FileSystem, target.Handle);
        return Nlm4Stats.Granted;
    }

    private static Nlm4Stats StatusOf(NfsStatus status) => status == NfsStatus.Stale ? Nlm4Stats.StaleFh : Nlm4Stats.Failed;
}
