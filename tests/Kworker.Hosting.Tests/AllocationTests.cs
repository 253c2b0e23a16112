namespace Kworker.Hosting.Tests;

/// <summary>What it costs a request to put a work on a queue. Counted on the calling thread alone.</summary>
public sealed class AllocationTests
{
    private const int Works = 10_000;

    /// <summary>The work item, and what it is to do; a few bytes more for what a caller does for all now and then.</summary>
    private const int BytesEach = 300;

    [Theory]
    [InlineData(null)]
    [InlineData(2 * Works)]
    public async Task To_queue_a_work_makes_its_item_and_nothing_else(int? capacity)
    {
        await using TestHost host = await TestHost.StartAsync(kworker => kworker.AddBackgroundQueue(options => options.Capacity = capacity));
        IBackgroundQueue queue = host.Background;
        Func<CancellationToken, Task> work = static _ => Task.CompletedTask;
        long bytes = 0;
        for (int round = 0; round < 2; round++) // the second is the steady state
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Works; i++)
                queue.TryQueue(work);
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            await host.System.WhenIdleAsync();
        }

        Assert.InRange(bytes, 1, BytesEach * Works);
    }
}
