using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Random operations of several threads on one item of a kthread worker: their histories are linearizable.</summary>
public sealed class KthreadWorkModelTests : IDisposable
{
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);
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

    private sealed class Item
    {
        private readonly KthreadWorker _worker;
        private readonly KthreadDelayedWork<Item> _work;
        private int _repeats; // so often it queues itself
        private long _lastEnd;

        internal Item(KthreadWorker worker, int repeats)
        {
            _worker = worker;
            _repeats = repeats;
            _work = new KthreadDelayedWork<Item>(this, static item => item.Run());
        }

        internal History History { get; } = new();

        internal void Do(Call call, int thread)
        {
            long called = History.Now();
            switch (call)
            {
                case Call.Queue:
                    Queue(called, TimeSpan.Zero, $"{thread} queues");
                    break;
                case Call.QueueLater:
                    Queue(called, s_never, $"{thread} queues for later");
                    break;
                case Call.Modify or Call.ModifyLater:
                    bool later = call == Call.ModifyLater;
                    bool modified = _worker.Modify(_work, later ? s_never : TimeSpan.Zero);
                    History.Add($"{thread} modifies{(later ? " for later" : "")}: {modified}", called, History.Now(), item => item.Modify(later, modified));
                    break;
                case Call.CancelSync:
                    CancelSync(called, _work.CancelSync(), thread);
                    break;
                case Call.CancelSyncAsync:
                    CancelSync(called, _work.CancelSyncAsync().AsTask().GetAwaiter().GetResult(), thread);
                    break;
                case Call.Flush:
                    _work.Flush();
                    Flushed(called, thread);
                    break;
                case Call.FlushAsync:
                    _work.FlushAsync().AsTask().GetAwaiter().GetResult();
                    Flushed(called, thread);
                    break;
                case Call.FlushWorker:
                    _worker.Flush();
                    break;
                default:
                    Thread.Yield();
                    break;
            }
        }

        internal void End()
        {
            CancelSync(History.Now(), _work.CancelSync(), thread: 9);
        }

        private void Queue(long called, TimeSpan delay, string text)
        {
            bool queued = _worker.Queue(_work, delay);
            History.Add($"{text}: {queued}", called, History.Now(), item => item.Queue(delay > TimeSpan.Zero, queued));
        }

        private void CancelSync(long called, bool cancelled, int thread) => History.Add(
            $"{thread} cancels and waits: {cancelled}", called, History.Now(), item => item.BeginCancelSync(cancelled), static item => item.EndCancelSync());

        private void Flushed(long called, int thread) =>
            History.Add($"{thread} flushes", called, History.Now(), item => item.BeginFlush(thread), item => item.EndFlush(thread));

        private void Run()
        {
            History.AddBegin(_lastEnd, History.Now());
            if (_repeats-- > 0)
                Queue(History.Now(), TimeSpan.Zero, "it queues itself");
            _lastEnd = History.Now();
            History.AddEnd(_lastEnd);
        }
    }
}
