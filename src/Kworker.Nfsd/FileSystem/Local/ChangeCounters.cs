using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>
/// The change attribute of files (<see cref="NfsAttributes.Change"/>), made of the time of the last change, which many kernels count in ticks of some milliseconds,
/// and of what this server itself changed within a tick. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Where the kernel stamps fine enough (<see cref="IsFine"/>) the ctime is all that is needed. Else:</para>
/// <para>In nanoseconds, with <c>c</c> the file's ctime and <c>T</c> the tick:</para>
/// <list type="table">
/// <item><term><c>c + n</c></term><description>for a file in the table: we changed it <c>n</c> times in the tick of <c>c</c>. More than a change a nanosecond cannot be, so
/// this stays below <c>c + T - 1</c>.</description></item>
/// <item><term><c>c</c></term><description>for one that is not, while the tick of <c>c</c> may not be over.</description></item>
/// <item><term><c>c + T - 1</c></term><description>for one that is not, once it is: no other change can have this ctime any more. Made of the ctime alone, so that it
/// is the same after a restart, and at least as great as whatever was said before the file was dropped from the table, or the server ended.</description></item>
/// </list>
/// <para>The next tick's values are greater than all of these. So a value never comes back, and never falls unless the clock is set back. What it costs: a file that was dropped, or that another
/// program changed just before somebody looked, changes its value once without a change. What it cannot see: another program's change in the same tick after one of
/// ours.</para>
/// <para>Between <see cref="Begin"/> and <see cref="End"/> of a change the file may have its new ctime while it is not counted yet: it is in the table meanwhile, and
/// readers go by <c>c</c>, which a change that has ended never has.</para>
/// </remarks>
[SupportedOSPlatform("linux")]
[DebuggerDisplay("{_shards.Length} x {_capacity}")]
internal sealed class ChangeCounters
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long ShortestTick = 1_000_000; // Of Linux, at 1000 Hz.

    // However long the way from a stat to here takes.
    private const long Margin = NanosecondsPerSecond;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, 64).Select(_ => new Shard())];
    private readonly int _capacity;
    private readonly ulong _tick;
    private readonly Func<long> _clock;
    private readonly ulong _start;

    private sealed class Shard
    {
        public readonly Lock Lock = new(); // A leaf.
        public readonly Dictionary<ulong, Entry> Entries = []; // Lock
        public readonly Queue<ulong> Order = []; // Lock; each key of Entries once, the oldest first.
    }

    private struct Entry
    {
        public ulong ChangeTime; // The ctime that Value is for.
        public ulong Value;
        public int Running; // Changes begun and not ended.
    }

    /// <param name="capacity">Files that are remembered.</param>
    /// <param name="tick">Nanoseconds that the kernel's time stamps go by; the system's if 0.</param>
    /// <param name="clock">The clock of those time stamps, in nanoseconds; the system's if null.</param>
    /// <param name="isFine">Whether no two changes between which somebody looked have the same ctime.</param>
    public ChangeCounters(int capacity = 1 << 16, long tick = 0, Func<long>? clock = null, bool isFine = false)
    {
        IsFine = isFine;
        _capacity = Math.Max(1, capacity / _shards.Length);
        _tick = (ulong)Math.Max(tick == 0 ? SystemTick() : tick, ShortestTick);
        _clock = clock ?? (static () => SystemTime(Libc.CLOCK_REALTIME_COARSE));
        _start = unchecked((ulong)(clock is null ? SystemTime(Libc.CLOCK_REALTIME) : clock())); // The exact time: no ctime is later.
    }

    /// <summary>Whether the ctime says all, so that nothing need be counted.</summary>
    public bool IsFine { get; }

    /// <summary>
    /// Whether the kernel gives a change another ctime than the one that somebody has seen, however soon it comes: since Linux 6.13, on the file systems that take part ("multigrain"
    /// time stamps).
    /// </summary>
    /// <param name="fileSystemType"><c>f_type</c> of statfs(2).</param>
    public static bool IsStampingFinely(long fileSystemType) =>
        Environment.OSVersion.Version >= new Version(6, 13) && fileSystemType is 0xef53 /* ext4 */ or 0x58465342 /* xfs */ or 0x9123683e /* btrfs */ or 0x01021994 /* tmpfs */;

    /// <summary>What the table has of a file: to be asked for before the stat that <see cref="Of"/> is given.</summary>
    /// <param name="ChangeTime">The ctime that <paramref name="Value"/> is for; 0 if there is none.</param>
    /// <param name="Value">The value.</param>
    /// <param name="IsRunning">Whether a change is under way.</param>
    /// <param name="IsDoubtful">Whether the stat that the file was looked up by may be older than this: it is to be taken anew.</param>
    public readonly record struct View(ulong ChangeTime, ulong Value, bool IsRunning, bool IsDoubtful);

    /// <summary>Looks a file up by a stat, which says which file it is.</summary>
    public View Look(in StatX stat)
    {
        if (IsFine)
            return default;
        ulong key = KeyOf(stat);
        Shard shard = ShardOf(key);
        Entry entry;
        lock (shard.Lock)
        {
            if (!shard.Entries.TryGetValue(key, out entry))
                return default;
        }
        // A stat from before the change that is counted here shows an earlier ctime, or the same; the latter only if it is as young.
        ulong time = TimeOf(stat);
        bool isDoubtful = entry.Running > 0 || time < entry.ChangeTime
            || (time == entry.ChangeTime && _clock() < unchecked((long)time) + Margin);
        return new View(entry.ChangeTime, entry.Value, entry.Running > 0, isDoubtful);
    }

    /// <summary>The value for a stat that was taken after <paramref name="view"/>, or is not doubtful.</summary>
    public ulong Of(in View view, in StatX stat)
    {
        ulong time = TimeOf(stat);
        if (IsFine)
            return time;
        if (view.ChangeTime == time)
            return view.Value;
        return view.IsRunning ? time : WithoutCount(time);
    }

    /// <summary>Begins a change of a file. Every call is followed by one of <see cref="End"/>.</summary>
    /// <param name="before">The file before.</param>
    /// <returns>Its value before.</returns>
    public ulong Begin(in StatX before)
    {
        ulong key = KeyOf(before), time = TimeOf(before);
        if (IsFine)
            return time;
        Shard shard = ShardOf(key);
        lock (shard.Lock)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(shard.Entries, key, out bool exists);
            if (!exists)
                shard.Order.Enqueue(key);
            entry.Running++;
            if (entry.ChangeTime != time)
            {
                entry.Value = Math.Max(entry.Running > 1 ? time : WithoutCount(time), entry.Value);
                entry.ChangeTime = time;
            }
            ulong value = entry.Value;
            DropOld(shard);
            return value;
        }
    }

    /// <summary>Ends a change.</summary>
    /// <param name="before">What <see cref="Begin"/> got: says which file it is.</param>
    /// <param name="after">The file after; null if it is gone, or cannot be looked at.</param>
    /// <param name="isChanged">Whether anything was changed, as far as one knows.</param>
    /// <returns>Its value after.</returns>
    public ulong End(in StatX before, in StatX? after, bool isChanged)
    {
        if (IsFine)
            return after is { } seen ? TimeOf(seen) : 0;
        ulong key = KeyOf(before);
        Shard shard = ShardOf(key);
        lock (shard.Lock)
        {
            ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(shard.Entries, key);
            entry.Running--;
            ulong time = after is { } stat ? TimeOf(stat) : entry.ChangeTime;
            if (isChanged || time != entry.ChangeTime)
            {
                entry.Value = Math.Max(time, entry.Value) + 1;
                entry.ChangeTime = time;
            }
            return entry.Value;
        }
    }

    /// <summary>Counts the making of a file: so that its first value is one to stay.</summary>
    public void Made(in StatX made)
    {
        Begin(made);
        End(made, made, isChanged: true);
    }

    // What was changed before the start may have been counted then: its tick counts as over.
    private ulong WithoutCount(ulong time) => time <= _start || unchecked((ulong)_clock()) >= time + _tick ? time + _tick - 1 : time;

    /// <summary>Drops files above the capacity, but none that changes or whose tick may not be over. Shard.Lock is held.</summary>
    private void DropOld(Shard shard)
    {
        const int atOnce = 2; // More than one comes in: a table that could not drop for a while gets back to its size.
        for (int i = 0; i < atOnce && shard.Order.Count > _capacity; i++)
        {
            ulong key = shard.Order.Dequeue();
            Entry entry = shard.Entries[key];
            if (entry.Running > 0 || unchecked((ulong)_clock()) < entry.ChangeTime + _tick)
                shard.Order.Enqueue(key);
            else
                shard.Entries.Remove(key);
        }
    }

    private Shard ShardOf(ulong key) => _shards[(int)(key % (uint)_shards.Length)];

    private static ulong KeyOf(in StatX stat) => stat.Inode ^ (stat.Device * 0x9e3779b97f4a7c15);

    private static ulong TimeOf(in StatX stat) => unchecked((ulong)(stat.Changed.Seconds * NanosecondsPerSecond + stat.Changed.Nanoseconds));

    private static unsafe long SystemTime(int clock)
    {
        TimeSpec time;
        _ = Libc.ClockGetTime(clock, &time); // There are both since Linux 2.6.32.
        return time.Seconds * NanosecondsPerSecond + time.Nanoseconds;
    }

    private static unsafe long SystemTick()
    {
        TimeSpec time;
        return Libc.ClockGetResolution(Libc.CLOCK_REALTIME_COARSE, &time) == 0 ? time.Seconds * NanosecondsPerSecond + time.Nanoseconds : 0;
    }
}
