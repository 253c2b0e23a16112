using System.Runtime.InteropServices;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Descriptors kept open between calls: bounded, closed when idle, and no error lost with them.</summary>
public sealed partial class OpenFileCacheTests
{
    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static unsafe partial int Pipe(int* ends, int flags);

    /// <summary>A descriptor that cannot be synced: fsync(2) of a pipe is EINVAL. It stands for a disk that fails.</summary>
    private static unsafe int Unsyncable()
    {
        int* ends = stackalloc int[2];
        Assert.Equal(0, Pipe(ends, Libc.O_CLOEXEC));
        Libc.Close(ends[0]);
        return ends[1];
    }

    [Fact]
    public void A_failed_sync_is_answered_and_moves_the_epoch()
    {
        using var cache = new OpenFileCache(8, TimeSpan.FromSeconds(1), TimeProvider.System);
        OpenFile file = cache.Add(NfsHandle.FromUInt64(1), Unsyncable(), OpenAs.Writing);
        ulong before = cache.Epoch;
        Assert.Equal(NfsStatus.Inval, cache.Sync(file, withAttributes: true));
        Assert.NotEqual(before, cache.Epoch);
        cache.Release(file);
    }

    [Fact]
    public void Unsynced_data_is_synced_before_its_descriptor_closes_and_a_failure_shows()
    {
        var time = new FakeTimeProvider();
        using var cache = new OpenFileCache(8, TimeSpan.FromSeconds(1), time);
        OpenFile file = cache.Add(NfsHandle.FromUInt64(1), Unsyncable(), OpenAs.Writing);
        file.IsDirty = true;
        cache.Release(file);
        ulong before = cache.Epoch;
        Assert.True(cache.CloseIdle()); // Not idle yet.
        Assert.Equal(before, cache.Epoch);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(cache.CloseIdle());
        Assert.NotEqual(before, cache.Epoch);
    }

    [Fact]
    public void No_more_descriptors_than_allowed_stay_open_and_clean_ones_go_first()
    {
        using var cache = new OpenFileCache(4, TimeSpan.FromSeconds(1), TimeProvider.System);
        for (ulong i = 0; i < 10; i++)
        {
            OpenFile file = cache.Add(NfsHandle.FromUInt64(i), Unsyncable(), OpenAs.Reading);
            file.IsDirty = i == 0;
            cache.Release(file);
        }
        Assert.Equal(4, cache.Count);
        OpenFile dirty = cache.TryTake(NfsHandle.FromUInt64(0), OpenAs.Reading)!;
        Assert.NotNull(dirty);
        dirty.IsDirty = false;
        cache.Release(dirty);
        Assert.Null(cache.TryTake(NfsHandle.FromUInt64(1), OpenAs.Reading));
    }

    [Fact]
    public void A_better_descriptor_replaces_a_lesser_one_that_lives_on_while_used()
    {
        using var cache = new OpenFileCache(4, TimeSpan.FromSeconds(1), TimeProvider.System);
        NfsHandle handle = NfsHandle.FromUInt64(1);
        OpenFile reading = cache.Add(handle, Unsyncable(), OpenAs.Reading);
        Assert.Null(cache.TryTake(handle, OpenAs.Writing));
        OpenFile writing = cache.Add(handle, Unsyncable(), OpenAs.Writing);
        Assert.Same(writing, cache.TryTake(handle, OpenAs.Reading));
        Assert.Equal(1, cache.Count);
        Assert.True(File.Exists($"/proc/self/fd/{reading.Fd}") || new DirectoryInfo("/proc/self/fd").GetFileSystemInfos().Any(
            entry => entry.Name == $"{reading.Fd}"));
        cache.Release(reading);
        cache.Release(writing);
        cache.Release(writing);
    }

    [Fact]
    public void Descriptors_close_by_themselves_when_idle()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        var options = new LocalFileSystemOptions { IdleTime = TimeSpan.FromSeconds(5), System = system };
        using var served = new Served(options);
        NfsHandle file = served.Create("file");
        served.Write(file, "content");
        Assert.True(served.Fs.Files.Count > 0);
        time.Advance(TimeSpan.FromSeconds(5));
        served.Fs.FlushClosing();
        Assert.Equal(0, served.Fs.Files.Count);
        Assert.Equal("content", served.Read(file));
        Assert.True(served.Fs.Files.Count > 0);
    }
}
