using System.Net;
using System.Net.Sockets;

namespace Kworker.Tests;

public sealed class ConcurrencyTests
{
    private static KworkerSystem TwoProcessors(int maxWorkers = 8192) => new(new KworkerSystemOptions { Processors = 2, MaxWorkers = maxWorkers, Log = _ => { } });

    [Fact]
    public void Items_that_wait_unannounced_for_one_behind_them_are_found_out()
    {
        using KworkerSystem system = TwoProcessors();
        using var queue = new Workqueue("test", null, system);
        using var gate = new ManualResetEvent(false);
        for (int i = 0; i < 50; i++)
            queue.Queue(new Work<ManualResetEvent>(gate, static gate => gate.WaitOne()));
        queue.Queue(new Work<ManualResetEvent>(gate, static gate => gate.Set()));
        queue.Flush();
    }

    [Fact]
    public void So_are_items_that_sit_in_a_system_call()
    {
        using KworkerSystem system = TwoProcessors();
        using var queue = new Workqueue("test", null, system);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var senders = new List<Socket>();
        int read = 0;
        for (int i = 0; i < 5; i++)
        {
            var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            receiver.Connect(listener.LocalEndPoint!);
            senders.Add(listener.Accept());
            queue.Queue(new Work<Socket>(receiver, receiver =>
            {
                using (receiver)
                    Interlocked.Add(ref read, receiver.Receive(new byte[1]));
            }));
        }

        queue.Queue(new Work<List<Socket>>(senders, static senders => senders.ForEach(static sender => sender.Send([1]))));
        queue.Flush();
        Assert.Equal(5, read);
        senders.ForEach(static sender => sender.Dispose());
    }

    [Fact]
    public void Items_that_compute_never_cause_extra_workers()
    {
        using KworkerSystem system = TwoProcessors();
        using var queue = new Workqueue("test", null, system);
        int inside = 0, most = 0, ran = 0;
        Queue(); // one that waits for another to compile the function does not compute
        queue.Flush();
        for (int i = 0; i < 8; i++)
            Queue();
        queue.Flush();
        Assert.Equal(9, ran);
        Assert.InRange(most, 1, 2);

        void Queue() => queue.Queue(new Work<object?>(null, _ =>
        {
            int now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            long until = system.Monitor!.Looks + 20;
            while (system.Monitor.Looks < until)
                Thread.SpinWait(100);
            Interlocked.Decrement(ref inside);
            Interlocked.Increment(ref ran);
        }));
    }

    [Fact]
    public void Cpu_intensive_items_hold_up_nobody()
    {
        using KworkerSystem system = TwoProcessors();
        using var intensive = new Workqueue("intensive", new WorkqueueOptions { CpuIntensive = true }, system);
        using var queue = new Workqueue("test", null, system);
        bool stop = false;
        for (int i = 0; i < 4; i++)
        {
            intensive.Queue(new Work<object?>(null, _ =>
            {
                while (!Volatile.Read(ref stop))
                    Thread.SpinWait(100);
            }));
        }

        queue.Queue(new Work<object?>(null, _ => Volatile.Write(ref stop, true)));
        queue.Flush();
        intensive.Flush();
        Assert.True(stop);
    }

    [Fact]
    public void A_cap_on_workers_is_kept_and_counted_once_and_nothing_is_lost()
    {
        using KworkerSystem system = TwoProcessors(maxWorkers: 4);
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = 100 }, system);
        var gate = new Completion();
        var entered = new Completion();
        int inside = 0, most = 0, ran = 0;
        for (int i = 0; i < 20; i++)
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref inside));
                entered.Complete();
                gate.Wait();
                Interlocked.Decrement(ref inside);
                Interlocked.Increment(ref ran);
            }));
        }

        for (int i = 0; i < 4; i++)
            entered.Wait();
        SpinWait.SpinUntil(() => system.Counters.CapReached > 0); // the fourth may be on its way to the gate
        gate.CompleteAll();
        queue.Flush();
        Assert.Equal(20, ran);
        Assert.InRange(most, 1, 4);
        Assert.Equal(1, system.Counters.CapReached);
    }

    [Fact]
    public void A_queue_made_for_reclaim_makes_progress_when_no_thread_can_be_created()
    {
        bool fails = true;
        using var system = new KworkerSystem(new KworkerSystemOptions
        {
            BeforeThread = name =>
            {
                if (Volatile.Read(ref fails))
                    throw new InsufficientMemoryException($"no thread for {name}");
            },
            Log = _ => { },
        });
        using var reclaim = new Workqueue("reclaim", new WorkqueueOptions { MemReclaim = true }, system);
        using var queue = new Workqueue("test", null, system);
        var names = new List<string?>();
        var elsewhere = new Completion();
        queue.Queue(new Work<Completion>(elsewhere, static c => c.Complete()));
        for (int i = 0; i < 10; i++)
            reclaim.Queue(new Work<List<string?>>(names, static names => names.Add(Thread.CurrentThread.Name)));
        reclaim.Flush();
        Assert.Equal(Enumerable.Repeat("kworker/R-reclaim", 10), names);
        int step = 0;
        reclaim.Queue(new Work<object?>(null, async (_, _) =>
        {
            step++;
            await new Completion().WaitAsync(TimeSpan.FromMilliseconds(1));
            step++;
        }));
        reclaim.Flush();
        Assert.Equal(2, step);
        Assert.False(elsewhere.IsDone);
        Assert.True(system.Counters.Rescues > 0);
        Assert.True(system.Counters.ThreadsFailed > 0);
        Volatile.Write(ref fails, false);
        elsewhere.Wait();
    }

    private static void InterlockedMax(ref int location, int value)
    {
        int seen = Volatile.Read(ref location);
        while (seen < value)
            seen = Interlocked.CompareExchange(ref location, value, seen) is var was && was == seen ? value : was;
    }
}
