using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

internal sealed class WorkqueueReplayer : WorldReplayer
{
    private readonly Items _items;
    private readonly Dictionary<string, Workqueue> _queues = [];
    private readonly Dictionary<string, Work> _works = [];

    public WorkqueueReplayer(Waiters waiters, Schedule schedule) : base(waiters, schedule) => _items = new Items(World);

    /// <summary>The recorder sorted all lists, those of an ordered queue too.</summary>
    protected override ListOrder Order => ListOrder.None;

    protected override void Do(Step step, Answer given)
    {
        switch (step.Operation)
        {
            case "alloc": Allocate(step); break;
            case "queue": given.Ret = Json(Queue(step[1], step[2])); break;
            case "queue_delayed": given.Ret = Json(Queue(step[2]).Queue(Delayed(step[1]), Milliseconds(step[3]))); break;
            case "modify": given.Ret = Json(Queue(step[2]).Modify(Delayed(step[1]), Milliseconds(step[3]))); break;
            case "cancel": given.Ret = Json(Work(step[1]).Cancel()); break;
            case "pending": given.Ret = Json(Work(step[1]).IsPending); break;
            case "busy": given.Ret = Json((int)Work(step[1]).Busy); break;
            case "gate": _items[step[1]].IsGated = true; break;
            case "open": _items[step[1]].Gate.Complete(); break;
            case "requeue": Requeue(step); break;
            case "max_running": given.Ret = Json(_items.MaxRunning); break;
            case "reentered": given.Ret = Json(_items[step[1]].Reentered); break;
            case "cancel_sync": CancelSync(step[1], Work(step[2])); break;
            case "flush": Flush(step[1], Work(step[2])); break;
            case "flush_wq": FlushQueue(step[1], Queue(step[2])); break;
            case "drain": Drain(step[1], Queue(step[2])); break;
            default: throw Unknown(step);
        }
    }

    private void Allocate(Step step)
    {
        var options = step[2] switch
        {
            "unbound" => new WorkqueueOptions { Unbound = true, MaxActive = Number(step[3]) },
            "ordered" => new WorkqueueOptions { Ordered = true, MaxActive = Number(step[3]) },
            "percpu" => new WorkqueueOptions { MaxActive = Number(step[3]) },
            _ => throw new FormatException($"there is no kind of queue '{step[2]}'"),
        };
        _queues.Add(step[1], new Workqueue(step[1], options, World.System));
    }

    private bool Queue(string item, string queue) => Items.IsDelayed(item)
        ? Queue(queue).Queue(Delayed(item), TimeSpan.Zero)
        : Queue(queue).Queue(Work(item));

    private void Requeue(Step step)
    {
        var (item, queue) = (step[1], step[2]);
        _items[item].RequeueAs(Number(step[3]), () => Queue(item, queue));
    }

    private void CancelSync(string task, Work work) => World.StartTask(task,
        () => AsNumber(work.CancelSync()),
        async () => AsNumber(await work.CancelSyncAsync()));

    private void Flush(string task, Work work) => World.StartTask(task,
        () => AsNumber(work.Flush()),
        async () => AsNumber(await work.FlushAsync()));

    private void FlushQueue(string task, Workqueue queue) => World.StartTask(task,
        () =>
        {
            queue.Flush();
            return "0";
        },
        async () =>
        {
            await queue.FlushAsync();
            return "0";
        });

    private void Drain(string task, Workqueue queue) => World.StartTask(task,
        () =>
        {
            queue.Drain();
            return "0";
        },
        async () =>
        {
            await queue.DrainAsync();
            return "0";
        });

    private Workqueue Queue(string name) =>
        _queues.TryGetValue(name, out var queue) ? queue : throw new FormatException($"there is no queue '{name}'");

    private Work Work(string name)
    {
        lock (_works)
        {
            if (!_works.TryGetValue(name, out var work))
            {
                var item = _items[name];
                work = Items.IsDelayed(name)
                    ? new DelayedWork<Item>(item, static item => item.Run())
                    : new Work<Item>(item, static item => item.Run());
                _works.Add(name, work);
            }

            return work;
        }
    }

    private DelayedWork Delayed(string name) =>
        Work(name) as DelayedWork ?? throw new FormatException($"'{name}' is not a delayed item");

    protected override void Release()
    {
        _items.Release();
        foreach (var work in _works.Values)
            work.Cancel();
    }
}
