using System.Diagnostics;
using System.Security.Cryptography;

namespace Kworker.Nfs.Tests;

/// <summary>Large reads and writes, and what a power cut takes.</summary>
public sealed class DirectIoTests
{
    private static readonly NfsClientOptions s_small = new() { ReadSize = 16 << 10, WriteSize = 16 << 10 };

    [Fact]
    public async Task Large_reads_and_writes_are_split_and_put_together()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync(s_small);
        byte[] bytes = RandomBytes((5 << 20) + 12345);
        await using NfsFile file = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        await file.WriteAsync(7, bytes);
        Assert.Equal(bytes, (await File.ReadAllBytesAsync(served.Local("a")))[7..]);
        byte[] back = new byte[6 << 20];
        int count = await file.ReadAsync(7, back);
        Assert.Equal(bytes.Length, count);
        Assert.True(bytes.AsSpan().SequenceEqual(back.AsSpan(0, count)));
        Assert.Equal(0ul, served.Power.UnsyncedBytes);
    }

    [Fact]
    public async Task No_byte_is_lost_over_power_cuts()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync(s_small);
        await using NfsFile file = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        int resent = 0;
        for (int round = 1; round <= 5; round++)
        {
            byte[] bytes = RandomBytes(2 << 20);
            Task<ulong> cut = served.Power.CutWhenUnsyncedAsync((ulong)round * 300_000).AsTask();
            var write = new DirectWrite(client.Mount, file.Inode, "a", 0, bytes);
            await write.WriteAsync(default);
            Assert.InRange(await cut, (ulong)round * 300_000, 2ul << 20);
            Assert.Equal(0ul, served.Power.UnsyncedBytes);
            served.Power.Cut(); // takes nothing: all is on disk
            byte[] there = await File.ReadAllBytesAsync(served.Local("a"));
            Assert.True(bytes.AsSpan().SequenceEqual(there));
            resent += write.Resent;
        }
        Assert.True(resent > 0);
    }

    [Fact]
    public async Task The_first_error_ends_it_and_says_where()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync(s_small);
        await using NfsFile file = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        File.Delete(served.Local("a")); // behind our back
        var error = await Assert.ThrowsAsync<NfsException>(async () => await file.WriteAsync(0, new byte[1 << 20]));
        Assert.Equal((NfsStatus.Stale, "WRITE", "a"), (error.Status, error.Operation, error.Path));
        await Assert.ThrowsAsync<NfsException>(async () => await file.ReadAsync(0, new byte[1 << 20]));
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await File.WriteAllTextAsync(served.Local("b"), "");
            await using NfsFile reader = await client.OpenAsync("b");
            await reader.WriteAsync(0, new byte[1]);
        });
    }

    [Fact]
    public async Task A_cancelled_one_ends()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync(s_small);
        await using NfsFile file = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await file.WriteAsync(0, new byte[4 << 20], cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await file.ReadAsync(0, new byte[4 << 20], cancelled.Token));
        await file.WriteAsync(0, "x"u8.ToArray()); // and harms nobody else
    }

    // process_one_work > rpc_async_release > nfs_direct_read_completion > nfs_direct_complete; of a write, the commit is the last.
    [Fact]
    public async Task A_stack_taken_where_the_last_one_is_down_reads_as_the_kernels()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync(s_small);
        await using NfsFile file = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        string[] write = [];
        string[] read = [];
        await new DirectWrite(client.Mount, file.Inode, "a", 0, RandomBytes(1 << 20)) { Completed = _ => write = Stack() }.WriteAsync(default);
        await new DirectRead(client.Mount, file.Inode, "a", 0, new byte[1 << 20]) { Completed = _ => read = Stack() }.ReadAsync(default);
        Assert.Equal(["kworker", "PoolWorker.Process", "RpcAsyncTask.AsyncRelease", "DirectWrite.CommitCompletion", "DirectRequest.Complete"], write);
        Assert.Equal(["kworker", "PoolWorker.Process", "RpcAsyncTask.AsyncRelease", "DirectRead.ReadCompletion", "DirectRequest.Complete"], read);
    }

    /// <summary>The kind of this thread, and which of the kernel's functions it is in, in our names: those that we may not name otherwise.</summary>
    private static string[] Stack()
    {
        string[] kernels = ["Process", "AsyncRelease", "ReadCompletion", "CommitCompletion", "Complete"];
        var frames = from frame in new StackTrace().GetFrames().Reverse()
                     let method = DiagnosticMethodInfo.Create(frame)
                     where kernels.Contains(method.Name)
                     select $"{method.DeclaringTypeName?.Split('.')[^1]}.{method.Name}";
        return [Thread.CurrentThread.Name!.Split('/')[0], .. frames];
    }

    private static byte[] RandomBytes(int count) => RandomNumberGenerator.GetBytes(count);
}
