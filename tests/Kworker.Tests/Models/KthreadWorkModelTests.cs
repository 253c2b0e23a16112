using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Random operations of several threads on one item of a kthread worker: their histories are linearizable.</summary>
public sealed class KthreadWorkModelTests : IDisposable
{
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public enum Call
    {
        Queue,
        QueueLater,
        Modify,
        ModifyLater,
        CancelSync,
        CancelSyncAsync,
        Flush,
        FlushAsync,
        FlushWorker,
        Pause,
    }

    [Fact]
    public void Of_one_item_among_others() =>
        Gen.Select(Gen.Enum<Call>().Array[1, 5].Array[1, 4], Gen.Int[0, 3]).Sample(Try, iter: ModelRun.Times(500), threads: 1);

    private void Try(Call[][] calls, int repeats)
    {
        var worker = new KthreadWorker("test", _system);
        var item = new Item(worker, repeats);
        var other = new KthreadWork<object?>(null, static _ => Thread.Yield());
        ModelRun.Together([.. calls.Select((list, thread) => (Action)(() =>
        {
            foreach (Call call in list)
            {
                worker.Queue(other);
                item.Do(call, thread);
            }
        }))]);
        item.End();
        worker.Dispose();
        item.History.Check(cancelsTogether: true);
    }

    private sealed class Item : RecordedItem
    {
        private readonly KthreadWorker _worker;
        private readonly KthreadDelayedWork<Item> _work;
        private int _repeats; // so often it queues itself

        internal Item(KthreadWorker worker, int repeats)
        {
            _worker = worker;
            _repeats = repeats;
            _work = new KthreadDelayedWork<Item>(this, static item => item.Run());
        }

        internal void Do(Call call, int thread)
        {
            switch (call)
            {
                case Call.Queue or Call.QueueLater:
                    Queue($"{thread}", later: call == Call.QueueLater);
                    break;
                case Call.Modify or Call.ModifyLater:
                    Modify(thread, later: call == Call.ModifyLater);
                    break;
                case Call.CancelSync:
                    CancelSync(thread, _work.CancelSync);
                    break;
                case Call.CancelSyncAsync:
                    CancelSync(thread, () => Await(_work.CancelSyncAsync()));
                    break;
                case Call.Flush:
                    Flush(thread, () => _work.Flush());
                    break;
                case Call.FlushAsync:
                    Flush(thread, () => Await(_work.FlushAsync()));
                    break;
                case Call.FlushWorker:
                    _worker.Flush();
                    break;
                default:
                    Thread.Yield();
                    break;
            }
        }

        internal void End() => CancelSync(thread: 9, _work.CancelSync);

        protected override bool QueueNow(TimeSpan delay) => _worker.Queue(_work, delay);

        protected override bool ModifyNow(TimeSpan delay) => _worker.Modify(_work, delay);

        private void Run()
        {
            Begins();
            if (_repeats-- > 0)
                Queue("it");
            Ends();
        }
    }
}
