using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

internal sealed class KthreadWorkerReplayer : WorldReplayer
{
    private readonly Items _items;
    private readonly Dictionary<string, KthreadWork> _works = [];
    private KthreadWorker? _worker;

    public KthreadWorkerReplayer(Waiters waiters, Schedule schedule) : base(waiters, schedule) => _items = new Items(World);

    protected override ListOrder Order => ListOrder.Runs;

    private KthreadWorker Worker => _worker ?? throw new FormatException("there is no worker yet");

    protected override void Do(Step step, Answer given)
    {
        switch (step.Operation)
        {
            case "worker": _worker = new KthreadWorker("conformance", World.System); break;
            case "queue": given.Ret = Json(Queue(step[1])); break;
            case "queue_delayed": given.Ret = Json(Worker.Queue(Delayed(step[1]), Milliseconds(step[3]))); break;
            case "modify": given.Ret = Json(Worker.Modify(Delayed(step[1]), Milliseconds(step[3]))); break;
            case "gate": _items[step[1]].IsGated = true; break;
            case "open": _items[step[1]].Gate.Complete(); break;
            case "requeue": Requeue(step[1], Number(step[3])); break;
            case "max_running": given.Ret = Json(_items.MaxRunning); break;
            case "reentered": given.Ret = Json(_items[step[1]].Reentered); break;
            case "cancel_sync": CancelSync(step[1], Work(step[2])); break;
            case "flush": Flush(step[1], Work(step[2])); break;
            case "flush_worker": FlushWorker(step[1]); break;
            default: throw Unknown(step);
        }
    }

    private bool Queue(string item) => Items.IsDelayed(item)
        ? Worker.Queue(Delayed(item), TimeSpan.Zero)
        : Worker.Queue(Work(item));

    private void Requeue(string item, int times) => _items[item].RequeueAs(times, () => Queue(item));

    private void CancelSync(string task, KthreadWork work) => World.StartTask(task,
        () => AsNumber(work.CancelSync()),
        async () => AsNumber(await work.CancelSyncAsync()));

    private void Flush(string task, KthreadWork work) => World.StartTask(task,
        () =>
        {
            work.Flush();
            return "0";
        },
        async () =>
        {
            await work.FlushAsync();
            return "0";
        });

    private void FlushWorker(string task)
    {
        var worker = Worker;
        World.StartTask(task,
            () =>
            {
                worker.Flush();
                return "0";
            },
            async () =>
            {
                await worker.FlushAsync();
                return "0";
            });
    }

    private KthreadWork Work(string name)
    {
        lock (_works)
        {
            if (!_works.TryGetValue(name, out var work))
            {
                var item = _items[name];
                work = Items.IsDelayed(name)
                    ? new KthreadDelayedWork<Item>(item, static item => item.Run())
                    : new KthreadWork<Item>(item, static item => item.Run());
                _works.Add(name, work);
            }

            return work;
        }
    }

    private KthreadDelayedWork Delayed(string name) =>
        Work(name) as KthreadDelayedWork ?? throw new FormatException($"'{name}' is not a delayed item");

    protected override void Release()
    {
        _items.Release();
        foreach (var work in _works.Values)
            work.CancelSync();
        _worker?.Dispose();
    }
}
