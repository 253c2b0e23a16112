using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>The change attribute where the kernel's time stamps go by ticks, with a kernel and a clock of our own.</summary>
public sealed class ChangeCountersTests
{
    private const long Tick = 4_000_000;

    private long _now = 1_000 * Tick;
    private readonly ChangeCounters _counters;

    public ChangeCountersTests()
    {
        _counters = NewCounters();
        _now += Tick;
    }

    private ChangeCounters NewCounters(int capacity = 1 << 16) => new(capacity, Tick, () => _now);

    /// <summary>A file that was changed in the tick of now.</summary>
    private StatX Stat(ulong inode = 1, long? time = null)
    {
        long at = (time ?? _now) / Tick * Tick;
        return new StatX { Inode = inode, Changed = new StatXTime { Seconds = at / 1_000_000_000, Nanoseconds = (uint)(at % 1_000_000_000) } };
    }

    private static ulong Value(ChangeCounters counters, StatX stat) => counters.Of(counters.Look(stat), stat);

    private ulong Change(StatX before)
    {
        _counters.Begin(before);
        return _counters.End(before, Stat(before.Inode), isChanged: true);
    }

    [Fact]
    public void Changes_within_a_tick_differ_and_grow()
    {
        StatX file = Stat();
        ulong last = Value(_counters, file);
        for (int i = 0; i < 1000; i++)
        {
            ulong next = Change(file);
            Assert.True(next > last);
            Assert.Equal(next, Value(_counters, file));
            last = next;
        }
        _now += Tick;
        Assert.Equal(last, Value(_counters, file));
        ulong later = Change(file);
        Assert.True(later > last);
        _now += 100 * Tick;
        Assert.Equal(later, Value(_counters, Stat(time: _now - 100 * Tick)));
    }

    [Fact]
    public void What_is_forgotten_gets_a_value_that_no_earlier_state_had()
    {
        StatX file = Stat();
        var seen = new HashSet<ulong> { Value(_counters, file) };
        for (int i = 0; i < 100; i++)
            Assert.True(seen.Add(Change(file)));

        // A restart, within the tick even: another table, the same file.
        ChangeCounters after = NewCounters();
        ulong settled = Value(after, file);
        Assert.True(settled > seen.Max());
        Assert.Equal(settled, Value(NewCounters(), file));
        after.Begin(file);
        Assert.True(after.End(file, Stat(), isChanged: true) > settled);
    }

    [Fact]
    public void A_change_by_another_program_in_the_tick_in_which_it_was_looked_at_shows_once_the_tick_is_over()
    {
        StatX file = Stat();
        ulong early = Value(_counters, file);
        Assert.Equal(early, Value(_counters, file));
        // Here somebody writes past us; the ctime stays.
        _now += Tick;
        ulong late = Value(_counters, file);
        Assert.True(late > early);
        _now += Tick;
        Assert.Equal(late, Value(_counters, file));
        Assert.True(Value(_counters, Stat()) > late);
    }

    [Fact]
    public void While_a_change_runs_readers_get_no_value_of_one_that_has_ended()
    {
        StatX file = Stat();
        ulong first = Change(file);
        _now += Tick;
        _counters.Begin(file);
        StatX changed = Stat(); // The kernel has done it; we have not counted it.
        ulong between = Value(_counters, changed);
        _now += 10 * Tick; // However long that takes.
        Assert.Equal(between, Value(_counters, changed));
        ulong after = _counters.End(file, changed, isChanged: true);
        Assert.True(first < between && between < after);
        Assert.Equal(after, Value(_counters, changed));
    }

    [Fact]
    public void A_stat_that_may_be_older_than_the_count_is_to_be_taken_again()
    {
        StatX file = Stat();
        Assert.False(_counters.Look(file).IsDoubtful);
        Change(file);
        Assert.True(_counters.Look(file).IsDoubtful);
        StatX old = file;
        _now += 1_000 * Tick;
        Assert.False(_counters.Look(file).IsDoubtful);
        Change(file);
        Assert.True(_counters.Look(old).IsDoubtful);
    }

    [Fact]
    public void What_failed_is_no_change_unless_the_kernel_says_so()
    {
        StatX file = Stat();
        ulong value = Change(file);
        Assert.Equal(value, _counters.Begin(file));
        Assert.Equal(value, _counters.End(file, file, isChanged: false));
        _now += Tick;
        _counters.Begin(file);
        Assert.True(_counters.End(file, Stat(), isChanged: false) > value);
    }

    [Fact]
    public void The_table_stays_small_and_values_never_fall()
    {
        ChangeCounters small = NewCounters(capacity: 64);
        _now += Tick;
        var values = new Dictionary<ulong, ulong>();
        var times = new Dictionary<ulong, long>();
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            ulong inode = (ulong)random.Next(1, 500);
            _now += random.Next(0, 3) == 0 ? Tick / 2 : 0;
            StatX before = Stat(inode, times.GetValueOrDefault(inode, _now));
            ulong seen = Value(small, before);
            Assert.True(seen >= values.GetValueOrDefault(inode));
            small.Begin(before);
            ulong after = small.End(before, Stat(inode), isChanged: true);
            Assert.True(after > seen);
            values[inode] = after;
            times[inode] = _now;
        }
    }

    [Fact]
    public void With_fine_time_stamps_the_ctime_is_all()
    {
        var fine = new ChangeCounters(isFine: true);
        StatX file = Stat();
        ulong time = (ulong)(file.Changed.Seconds * 1_000_000_000 + file.Changed.Nanoseconds);
        Assert.Equal(time, Value(fine, file));
        Assert.Equal(time, fine.Begin(file));
        Assert.Equal(time, fine.End(file, file, isChanged: true));
    }
}
