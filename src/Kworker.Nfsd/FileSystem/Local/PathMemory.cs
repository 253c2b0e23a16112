using System.Buffers.Binary;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>Where files were last seen: finds a file by its inode number where the kernel does not open handles for us. Thread-safe.</summary>
/// <remarks>
/// <para>Kept in memory only. After a restart, and when somebody renamed a file behind the server's back, the whole exported tree is walked once and every
/// entry noted; so handles survive both, at the price of that walk.</para>
/// <para>What it cannot do: find a file below a directory that the server may not read; tell a file from its successor with the same inode number on a file system that gives neither
/// kernel handles nor times of birth; find files at once in a tree that is large or changed by others all the time (walks are rationed,
/// meanwhile clients are told to ask again later).</para>
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed unsafe class PathMemory(int root, StatX rootStat, TimeProvider time)
{
    private const int MaxPlaces = 1_000_000;
    private const int MaxDepth = 2048;
    private static readonly TimeSpan s_leastPause = TimeSpan.FromSeconds(1);

    private readonly ulong _rootInode = rootStat.Inode;
    private readonly StatX _rootStat = rootStat;

    private readonly record struct Place(ulong Directory, byte[] Name);

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Place> _places = [];
    private readonly object _walking = new();
    private long _walkEnded; // Guarded by _walking, as are the next two.
    private TimeSpan _pause;
    private bool _hasWalked;

    /// <summary>Notes that <paramref name="inode"/> is <paramref name="name"/> in <paramref name="directory"/>.</summary>
    public void Note(ulong inode, ulong directory, ReadOnlySpan<byte> name)
    {
        if (inode == _rootInode)
            return;
        lock (_lock)
        {
            if (_places.TryGetValue(inode, out Place known) && known.Directory == directory && name.SequenceEqual(known.Name))
                return;
            if (_places.Count >= MaxPlaces)
                _places.Clear(); // The next unknown file costs a walk.
            _places[inode] = new Place(directory, name.ToArray());
        }
    }

    /// <summary>Opens the file of <paramref name="handle"/>.</summary>
    /// <param name="handle">Its handle.</param>
    /// <param name="fd">A descriptor that is a place only.</param>
    /// <param name="stat">Its attributes.</param>
    public NfsStatus Open(in NfsHandle handle, out int fd, out StatX stat)
    {
        fd = -1;
        stat = default;
        if (!FileIdentity.TryGetInode(handle, out ulong inode))
            return NfsStatus.BadHandle;
        if (TryOpen(handle, inode, out fd, out stat))
            return NfsStatus.Ok;

        lock (_walking)
        {
            if (TryOpen(handle, inode, out fd, out stat))
                return NfsStatus.Ok; // Found by the walk that we waited for.
            if (_hasWalked && time.GetElapsedTime(_walkEnded) < _pause)
                return NfsStatus.Jukebox;
            long start = time.GetTimestamp();
            Walk();
            _walkEnded = time.GetTimestamp();
            _hasWalked = true;
            _pause = time.GetElapsedTime(start, _walkEnded) * 10;
            if (_pause < s_leastPause)
                _pause = s_leastPause;
            return TryOpen(handle, inode, out fd, out stat) ? NfsStatus.Ok : NfsStatus.Stale;
        }
    }

    private bool TryOpen(in NfsHandle handle, ulong inode, out int fd, out StatX stat)
    {
        stat = default;
        fd = OpenByPlaces(inode);
        if (fd < 0)
            return false;
        if (LocalFile.TryStat(fd, out stat) && FileIdentity.Describe(fd, stat) == handle)
            return true;
        Libc.Close(fd);
        fd = -1;
        return false;
    }

    private int OpenByPlaces(ulong inode)
    {
        var names = new Stack<byte[]>();
        lock (_lock)
        {
            for (ulong at = inode; at != _rootInode;)
            {
                if (!_places.TryGetValue(at, out Place place) || names.Count > MaxDepth)
                    return -1;
                names.Push(place.Name);
                at = place.Directory;
            }
        }
        int fd = LocalFile.OpenPlace(root, "."u8);
        while (fd >= 0 && names.TryPop(out byte[]? name))
        {
            int next = LocalFile.OpenPlace(fd, name);
            Libc.Close(fd);
            fd = next;
        }
        return fd;
    }

    /// <summary>Notes every entry below the root. Depth first with an explicit stack: one descriptor at a time, whatever the depth.</summary>
    private void Walk()
    {
        var directories = new Stack<ulong>();
        directories.Push(_rootInode);
        byte[] buffer = new byte[64 * 1024];
        var seen = new HashSet<ulong> { _rootInode };
        while (directories.TryPop(out ulong directory))
        {
            int place = OpenByPlaces(directory);
            if (place < 0)
                continue; // Renamed meanwhile, or not for us.
            bool isOurs = LocalFile.TryStat(place, out StatX stat) && stat.IsSameMount(_rootStat);
            int fd = isOurs ? ProcPath.Reopen(place, Libc.O_RDONLY | Libc.O_DIRECTORY) : -1;
            Libc.Close(place);
            if (fd < 0)
                continue;
            fixed (byte* start = buffer)
            {
                nint length;
                while ((length = Libc.GetDents64(fd, start, buffer.Length)) > 0)
                    NoteAll(buffer.AsSpan(0, (int)length), directory, directories, seen);
            }
            Libc.Close(fd);
        }
    }

    private void NoteAll(ReadOnlySpan<byte> entries, ulong directory, Stack<ulong> directories, HashSet<ulong> seen)
    {
        const byte DirectoryType = 4;
        const byte UnknownType = 0;
        while (!entries.IsEmpty)
        {
            DirectoryRecord record = DirectoryRecord.Read(ref entries);
            if (NfsName.IsDotOrDotDot(record.Name))
                continue;
            Note(record.Inode, directory, record.Name);
            if (record.Type is DirectoryType or UnknownType && seen.Add(record.Inode))
                directories.Push(record.Inode);
        }
    }
}

/// <summary><c>struct linux_dirent64</c>.</summary>
internal readonly ref struct DirectoryRecord
{
    private const int NameOffset = 19;

    public ulong Inode { get; private init; }
    public long Offset { get; private init; }
    public byte Type { get; private init; }
    public ReadOnlySpan<byte> Name { get; private init; }

    /// <summary>Takes the first record off <paramref name="records"/>.</summary>
    public static DirectoryRecord Read(ref ReadOnlySpan<byte> records)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
        ReadOnlySpan<byte> name = records[NameOffset..length];
        var record = new DirectoryRecord
        {
            Inode = BinaryPrimitives.ReadUInt64LittleEndian(records),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(records[8..]),
            Type = records[18],
            Name = name[..name.IndexOf((byte)0)],
        };
        records = records[length..];
        return record;
    }
}
