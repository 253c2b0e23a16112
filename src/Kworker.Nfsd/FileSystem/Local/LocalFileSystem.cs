using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>Serves a directory of this machine. Thread-safe.</summary>
/// <remarks>
/// <para><b>Handles</b> name inode and generation and survive restarts. Root (CAP_DAC_READ_SEARCH) lets the kernel find the file
/// (<c>open_by_handle_at(2)</c>); otherwise, or where the file system has no handles, remembered paths and, when these fail, a walk through the
/// tree find it: <see cref="PathMemory"/> says what that cannot do.</para>
/// <para><b>Confinement.</b> Names are single components, opened relative to directory descriptors, links never followed. Other file systems mounted
/// below are not entered (<see cref="NfsStatus.Acces"/>). A directory that was moved out of the export is stale from then on, and "..", which could lead out,
/// is checked. A file (not directory) that somebody on the server moved out stays
/// reachable by handles that clients got before, as it would by a descriptor they had open, and as with <c>no_subtree_check</c> of exports(5).</para>
/// <para><b>Rights.</b> As root, calls run as the calling user, per thread; the kernel decides, with access control lists and all. Otherwise the server checks mode
/// bits against the caller, and files belong to the server's user. As NFS servers do, the owner may read and write a regular file whatever its mode (it may have been open when the mode was changed), and
/// who may execute a file may read it.</para>
/// <para><b>Limits.</b> The blocks that a file system reserves for root are open to all callers if the server has CAP_SYS_RESOURCE. A guarded SETATTR and
/// "before" attributes are exact among calls of this server; another process's change may slip in between.</para>
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed partial class LocalFileSystem : INfsFileSystem, IDisposable
{
    private readonly LocalFileSystemOptions _options;
    private readonly ServerIdentity _server;
    private readonly OpenFileCache _files;
    private readonly ChangeCounters _changes;
    private readonly PathMemory? _places; // Null where the kernel opens handles.
    private readonly int _root;
    private readonly StatX _rootStat;
    private readonly NfsHandle _rootHandle;
    private readonly ulong _fileSystemId;
    private readonly Workqueue _closing;
    private int _isDisposed;
    private readonly DelayedWork<LocalFileSystem> _closeIdle;

    // Held over "attributes before, operation, attributes after"; a file's is found by its inode number. Of two, the lower index comes first.
    private readonly object[] _changing = [.. Enumerable.Range(0, 256).Select(_ => new object())];

    private LocalFileSystem(string shownPath, ReadOnlySpan<byte> path, LocalFileSystemOptions options)
    {
        if (!Environment.Is64BitProcess || !OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("A local directory is served on 64-bit Linux only.");
        _options = options;
        _server = ServerIdentity.OfThisThread(options.MayImpersonate);
        _root = OpenRoot(shownPath, path);
        if (!LocalFile.TryStat(_root, out _rootStat))
            throw new IOException($"'{shownPath}': {Marshal.GetLastPInvokeErrorMessage()}.");
        _changes = new ChangeCounters(isFine: options.MayTrustChangeTimes && IsStampingFinely(_root));
        _rootHandle = FileIdentity.Describe(_root, _rootStat);
        _fileSystemId = options.FileSystemId ?? _rootStat.Device;
        KworkerSystem system = options.System ?? KworkerSystem.Current;
        _files = new OpenFileCache(Math.Min(options.MaxOpenFiles, ShareOfDescriptors()), options.IdleTime, system.TimeProvider);

        int tried = options.MayOpenByHandle ? FileIdentity.Open(_root, _rootHandle) : -1;
        if (tried >= 0)
            Libc.Close(tried);
        else
            _places = new PathMemory(_root, _rootStat, system.TimeProvider);

        _closing = new Workqueue("nfsd-close", new WorkqueueOptions { Unbound = true }, system);
        _closeIdle = new DelayedWork<LocalFileSystem>(this, static owner => owner.CloseIdle());
        _files.FirstCached = () => _closing.Queue(_closeIdle, _options.IdleTime);

    }

    /// <summary>Serves the directory at <paramref name="path"/>.</summary>
    /// <param name="path">In the bytes of the file system.</param>
    /// <param name="options">How; all defaults if null.</param>
    /// <exception cref="IOException">It is no directory, or cannot be opened.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not 64-bit Linux.</exception>
    public static LocalFileSystem Open(ReadOnlySpan<byte> path, LocalFileSystemOptions? options = null) =>
        new(Exports.ExportPath.Show(path), path, options ?? new LocalFileSystemOptions());

    /// <inheritdoc cref="Open(ReadOnlySpan{byte}, LocalFileSystemOptions?)"/>
    public static LocalFileSystem Open(string path, LocalFileSystemOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(Encoding.UTF8.GetBytes(path), options);
    }

    /// <summary>Whether calls run as the calling user; otherwise mode bits are checked.</summary>
    public bool IsImpersonating => _server.CanImpersonate;

    /// <summary>Whether the kernel finds files by handle; otherwise paths are remembered.</summary>
    public bool IsOpeningByHandle => _places is null;

    internal OpenFileCache Files => _files;

    /// <inheritdoc/>
    public NfsStatus GetRoot(out NfsHandle root)
    {
        root = _rootHandle;
        return NfsStatus.Ok;
    }

    /// <inheritdoc/>
    public NfsStatus Sync()
    {
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = _files.SyncAll();
        return Libc.SyncFs(_root) == 0 ? status : ErrnoStatus.Last();
    }

    /// <summary>Syncs and closes everything. To be called when no call runs any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return; // Closing a number twice would close somebody else's file.
        _closeIdle.CancelSync();
        _closing.Dispose();
        _files.Dispose();
        Libc.Close(_root);
    }

    /// <summary>Runs on a worker, again and again as long as descriptors are open.</summary>
    private void CloseIdle()
    {
        using FileSystemCall call = FileSystemCall.Begin(_server);
        if (_files.CloseIdle())
            _closing.Queue(_closeIdle, _options.IdleTime);
    }

    /// <summary>For tests: waits for a closing that has begun, or is due.</summary>
    internal void FlushClosing() => _closing.Flush();

    /// <summary>As many descriptors as one export may keep of those that the process may have: the rest is for connections, calls that run, and other exports.</summary>
    private static unsafe int ShareOfDescriptors()
    {
        ResourceLimit limit;
        return Libc.GetRLimit(Libc.RLIMIT_NOFILE, &limit) == 0 ? (int)Math.Clamp(limit.Current / 8, 16, int.MaxValue) : int.MaxValue;
    }

    private static unsafe bool IsStampingFinely(int fd)
    {
        StatFs statistics;
        return Libc.FStatFs(fd, &statistics) == 0 && ChangeCounters.IsStampingFinely(statistics.Type);
    }

    private static unsafe int OpenRoot(string shownPath, ReadOnlySpan<byte> path)
    {
        byte[] terminated = [.. path, 0];
        fixed (byte* start = terminated)
        {
            int fd = Libc.OpenAt(Libc.AT_FDCWD, start, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC, 0);
            return fd >= 0 ? fd : throw new IOException($"'{shownPath}' cannot be served: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>What clients get of a stat of an open file.</summary>
    private NfsAttributes AttributesOf(int fd, in StatX stat)
    {
        ChangeCounters.View view = _changes.Look(stat);
        if (view.IsDoubtful && LocalFile.TryStat(fd, out StatX again))
            return AttributesOf(again, _changes.Of(view, again));
        return AttributesOf(stat, _changes.Of(view, stat));
    }

    private NfsAttributes AttributesOf(in StatX stat, ulong change) => new()
    {
        Type = stat.Type,
        Mode = stat.Permissions,
        LinkCount = stat.LinkCount,
        Uid = stat.Uid,
        Gid = stat.Gid,
        Size = stat.Size,
        Used = stat.Blocks * 512,
        DeviceMajor = stat.RdevMajor,
        DeviceMinor = stat.RdevMinor,
        FileSystemId = _fileSystemId,
        FileId = FileIdOf(stat),
        AccessTime = stat.Accessed.Time,
        ModifyTime = stat.Modified.Time,
        ChangeTime = stat.Changed.Time,
        Change = change,
    };

    /// <summary>One mount may hold several numberings of inodes (subvolumes of btrfs, layers of overlayfs): those that are not the root's are set apart.</summary>
    private ulong FileIdOf(in StatX stat) =>
        stat.Device == _rootStat.Device ? stat.Inode : stat.Inode ^ (stat.Device * 0x9e3779b97f4a7c15 | 1ul << 63);

    private NfsAttributes? TryGetAttributes(int fd) => LocalFile.TryStat(fd, out StatX stat) ? AttributesOf(fd, stat) : null;

    /// <summary>Ends a change that <see cref="ChangeCounters.Begin"/> began, and tells what it came to.</summary>
    private NfsChange EndChange(int fd, in StatX before, ulong beforeChange, bool isChanged)
    {
        StatX? after = LocalFile.TryStat(fd, out StatX stat) ? stat : null;
        ulong afterChange = _changes.End(before, after, isChanged);
        return new NfsChange(
            new NfsBefore(before.Size, before.Modified.Time, before.Changed.Time, beforeChange), after is null ? null : AttributesOf(stat, afterChange));
    }

    private object ChangingOf(in StatX stat) => _changing[(int)(stat.Inode % (uint)_changing.Length)];
}
