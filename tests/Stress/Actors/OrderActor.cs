namespace Kworker.Stress.Actors;

/// <summary>An ordered queue: items run one at a time, in the order in which they were queued, whoever queues them.</summary>
internal sealed class OrderActor(World world, string name, int seed) : Actor(world, name, seed)
{
    private readonly Lock _lock = new();
    private long _queued; // under _lock, as is the queueing: so that the number says the order
    private long _ran;
    private int _running;

    protected override void Act()
    {
        Workqueue queue = Workqueue.Ordered(Name, World.System);
        World.Watch(queue, "ordered queue");
        var helper = new Thread(() =>
        {
            var random = new Random(Name.Length);
            while (!World.IsStopping)
                QueueSome(queue, random.Next(1, 20));
        })
        { IsBackground = true, Name = "st/order2" };
        helper.Start();
        while (IsOn)
        {
            Doing("queue");
            QueueSome(queue, Random.Next(1, 50));
            Doing("flush");
            switch (Random.Next(3))
            {
                case 0:
                    Flush(queue);
                    break;
                case 1:
                    World.Gossip.Wait(UpTo(1));
                    break;
                default:
                    Spin(500);
                    break;
            }

        }

        Doing("end");
        helper.Join();
        queue.Dispose();
        if (_queued != _ran)
            Verdict.Fail($"{Name}: {_queued} were queued, {_ran} have run when the queue was disposed of");
    }

    private void Flush(Workqueue queue)
    {
        long before = Volatile.Read(ref _queued);
        queue.Flush();
        long ran = Volatile.Read(ref _ran);
        Verdict.Check(ran >= before, (Name, before, ran), static s => $"{s.Name}: flushed, but of {s.before} only {s.ran} have run");
    }

    private void QueueSome(Workqueue queue, int count)
    {
        for (int i = 0; i < count; i++)
        {
            lock (_lock)
            {
                var item = new Work<(OrderActor Actor, long Number)>((this, _queued), static s => s.Actor.Run(s.Number));
                if (!queue.Queue(item))
                    Verdict.Fail($"{Name}: a new item was refused");
                _queued++;
            }
        }

        // So that nobody outruns the worker without end.
        if (Volatile.Read(ref _queued) - Volatile.Read(ref _ran) > 2000)
            Flush(queue);
    }

    private void Run(long number)
    {
        if (Interlocked.Increment(ref _running) != 1)
            Verdict.Fail($"{Name}: two items of an ordered queue run at once");
        if (_ran != number)
            Verdict.Fail($"{Name}: item {number} runs when it is the turn of {_ran}");
        if (number % 64 == 0)
            Worker.Sleep(TimeSpan.FromMilliseconds(0.2));
        Volatile.Write(ref _ran, number + 1);
        Interlocked.Decrement(ref _running);
    }
}
