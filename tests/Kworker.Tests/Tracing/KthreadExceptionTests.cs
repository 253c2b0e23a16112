using System.Collections.Concurrent;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class KthreadExceptionTests : IDisposable
{
    private readonly ConcurrentQueue<string> _log = [];
    private readonly KworkerSystem _system;

    public KthreadExceptionTests() => _system = new KworkerSystem(new KworkerSystemOptions { Log = _log.Enqueue });

    public void Dispose() => _system.Dispose();

    [Fact]
    public void What_leaves_the_function_before_anybody_stops_it_is_logged_counted_and_thrown_by_each_stop()
    {
        var kthread = Kthread.Run<int>(static _ => throw new FormatException("thrown on purpose"), 0, "thrower", _system);
        var spin = new SpinWait();
        while (!kthread.HasExited)
            spin.SpinOnce();
        Assert.Equal(1, _system.Counters.KthreadExceptions);
        Assert.Contains("thrown on purpose", Assert.Single(_log), StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => kthread.Stop());
        Assert.Throws<FormatException>(() => kthread.Stop());
    }

    [Fact]
    public async Task What_leaves_it_while_it_is_being_stopped_is_for_who_stops_it()
    {
        var entered = new Completion();
        var kthread = Kthread.Run<Completion>(static entered =>
        {
            var queue = new WaitQueue();
            entered.Complete();
            queue.WaitEvent(static () => Kthread.ShouldStop);
            throw new FormatException("thrown on purpose");
        }, entered, "late thrower", _system);
        entered.Wait(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<FormatException>(async () => await kthread.StopAsync());
        Assert.Equal(1, _system.Counters.KthreadExceptions);
        Assert.Empty(_log);
    }

    [Fact]
    public void It_is_traced()
    {
        using var events = new EventRecorder(KworkerEventSource.Keywords.Health | KworkerEventSource.Keywords.Kthread);
        var kthread = Kthread.Run<int>(static _ => throw new FormatException("thrown on purpose"), 0, "traced thrower", _system);
        var spin = new SpinWait();
        while (!kthread.HasExited)
            spin.SpinOnce();
        Assert.Throws<FormatException>(() => kthread.Stop());
        Assert.Contains(events.Named("kthread_exception"), e => (string)e.Payload![0]! == "traced thrower" && ((string)e.Payload[1]!).Contains("thrown on purpose"));
        Assert.Contains(events.Named("sched_kthread_start"), e => (string)e.Payload![0]! == "traced thrower");
        Assert.Contains(events.Named("sched_kthread_stop"), e => (string)e.Payload![0]! == "traced thrower");
        Assert.Contains(events.Named("sched_kthread_stop_ret"), e => (string)e.Payload![0]! == "traced thrower" && (int)e.Payload[1]! == -Errno.EINTR);
    }
}
