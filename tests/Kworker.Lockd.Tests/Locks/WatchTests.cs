using System.Runtime.Versioning;
using Kworker.Lockd.Locks;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>Who was refused, and asks again by himself, hears once when that is worth it.</summary>
public sealed class WatchTests : IAsyncDisposable
{
    private static readonly LockFileKey s_file = new("file"u8);
    private readonly LockTable _table = new();
    private readonly TestOwner _holder = new(1);
    private readonly TestOwner _other = new(2);
    private readonly TestOwner _asker = new(3);

    public ValueTask DisposeAsync() => _table.DisposeAsync();

    private sealed class Watch(LockOwner owner, LockKind kind, LockRange range) : LockWatch(s_file, owner, kind, range)
    {
        public int Told;

        protected internal override void OnFree() => Interlocked.Increment(ref Told);
    }

    [Fact]
    public void What_is_free_is_not_watched()
    {
        Assert.False(_table.Watch(new Watch(_asker, LockKind.Write, LockRange.All)));
        _table.Lock(s_file, _asker, LockKind.Write, LockRange.All, out _);
        Assert.False(_table.Watch(new Watch(_asker, LockKind.Write, LockRange.All))); // his own is not in his way
        _table.ReleaseOwner(_asker);
        Assert.Equal((0, 0), (_table.FileCount, _table.WatchedCount));
    }

    [Fact]
    public void It_is_told_once_when_the_last_lock_in_the_way_has_gone()
    {
        Hold(_holder, LockKind.Read, 0, 9);
        Hold(_other, LockKind.Read, 5, 14);
        var write = new Watch(_asker, LockKind.Write, new LockRange(0, 20));
        Assert.True(_table.Watch(write));
        _table.Unlock(s_file, _holder, new LockRange(0, 4));
        _table.Unlock(s_file, _holder, LockRange.All);
        Assert.Equal(0, write.Told);
        _table.ReleaseOwner(_other);
        Assert.Equal(1, write.Told);
        Assert.Equal((0, 0), (_table.FileCount, _table.WatchedCount));
        Hold(_holder, LockKind.Write, 0, 9);
        _table.ReleaseOwner(_holder);
        Assert.Equal(1, write.Told);
    }

    [Fact]
    public void A_lock_that_becomes_weaker_is_told_to_readers_and_nobody_is_waited_for_by_a_watch()
    {
        Hold(_holder, LockKind.Write, 0, 9);
        var read = new Watch(_asker, LockKind.Read, new LockRange(0, 9));
        var write = new Watch(_other, LockKind.Write, new LockRange(0, 9));
        Assert.True(_table.Watch(read));
        Assert.True(_table.Watch(write));
        Assert.False(_table.IsWaitedFor(_holder));
        Hold(_holder, LockKind.Read, 0, 9);
        Assert.Equal((1, 0), (read.Told, write.Told));
        Hold(_asker, LockKind.Read, 0, 9); // takes it: nothing is held for those who watch, nor is anybody
        _table.ReleaseFile(s_file);
        Assert.Equal(1, write.Told);
    }

    [Fact]
    public void Taken_back_it_is_not_told_and_leaves_nothing()
    {
        Hold(_holder, LockKind.Write, 0, 9);
        var watch = new Watch(_asker, LockKind.Read, LockRange.All);
        Assert.True(_table.Watch(watch));
        _table.Unwatch(watch);
        _table.Unwatch(watch);
        _table.ReleaseOwner(_holder);
        Assert.Equal(0, watch.Told);
        Assert.Equal((0, 0), (_table.FileCount, _table.WatchedCount));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task A_local_programs_lock_is_looked_for()
    {
        string path = Path.GetTempFileName();
        var time = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        await using (var table = new LockTable(new LockTableOptions { LocalFiles = new LocalFiles(path), System = system }))
        {
            await using LockHolder program = await LockHolder.StartAsync(path);
            await program.AskAsync("write 0 10", "ok");
            var watch = new Watch(_asker, LockKind.Write, LockRange.All);
            Assert.True(table.Watch(watch));
            await program.AskAsync("unlock 0 10", "ok");
            while (Volatile.Read(ref watch.Told) == 0)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
            Assert.Equal(1, watch.Told);
            while (table.FileCount > 0) // its descriptor goes when the look that told is over
                await Task.Yield();
        }
        File.Delete(path);
    }

    private void Hold(TestOwner owner, LockKind kind, ulong start, ulong end) =>
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, owner, kind, new LockRange(start, end), out _));
}
