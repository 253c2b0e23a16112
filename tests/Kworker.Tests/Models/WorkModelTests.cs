using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Random operations of several threads on one work item: their histories are linearizable.</summary>
public sealed class WorkModelTests : IDisposable
{
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public enum Call
    {
        Queue,
        QueueLater,
        Modify,
        ModifyLater,
        Cancel,
        CancelSync,
        CancelSyncAsync,
        Flush,
        FlushAsync,
        FlushQueue,
        Disable,
        DisableSync,
        DisableSyncAsync,
        Enable,
        Look,
        Pause,
    }

    public enum Body
    {
        Nothing,
        Yield,
        QueueItself,
        Await,
        AwaitAndQueueItself,
    }

    private static readonly Gen<Call[][]> s_calls = Gen.Enum<Call>().Array[1, 5].Array[1, 4];
    private static readonly Gen<Body[]> s_bodies = Gen.Enum<Body>().Array[1, 4];

    [Fact]
    public void Of_a_plain_function() => Gen.Select(s_calls, s_bodies, Gen.Int[0, 5]).Sample(
        (calls, bodies, queues) => Try(calls, [.. bodies.Select(static body => body is Body.Await ? Body.Yield : body is Body.AwaitAndQueueItself ? Body.QueueItself : body)],
            queues, isAsync: false), iter: ModelRun.Times(500), threads: 1);

    [Fact]
    public void Of_an_async_function() => Gen.Select(s_calls, s_bodies, Gen.Int[0, 5]).Sample(
        (calls, bodies, queues) => Try(calls, bodies, queues, isAsync: true), iter: ModelRun.Times(500), threads: 1);

    private void Try(Call[][] calls, Body[] bodies, int kind, bool isAsync)
    {
        Workqueue[] queues = kind switch
        {
            0 => [Workqueue.Ordered("test", _system)],
            1 => [new Workqueue("test", new WorkqueueOptions { MaxActive = 1 }, _system)],
            2 => [new Workqueue("test", null, _system), new Workqueue("unbound", new WorkqueueOptions { Unbound = true }, _system)],
            3 => [new Workqueue("test", null, _system), new Workqueue("high", new WorkqueueOptions { HighPriority = true }, _system)],
            4 => [new Workqueue("unbound", new WorkqueueOptions { Unbound = true, MaxActive = 2 }, _system)],
            _ => [new Workqueue("test", null, _system)],
        };
        var item = new Item(queues, bodies, isAsync);
        int busy = calls.Length;
        IEnumerable<Action> threads = calls.Select((list, thread) => (Action)(() =>
        {
            foreach (Call call in list)
                item.Do(call, thread);
            Interlocked.Decrement(ref busy);
        }));
        ModelRun.Together([.. threads, () =>
        {
            while (Volatile.Read(ref busy) > 0)
                item.LetGo();
        }]);
        item.End();
        foreach (Workqueue queue in queues)
            queue.Dispose();
        item.History.Check(cancelsTogether: false);
    }

    private sealed class Item : RecordedItem
    {
        private readonly DelayedWork<Item> _work;
        private readonly Workqueue[] _queues;
        private readonly Body[] _bodies;
        private readonly Completion _gate = new();
        private int _next; // which queue
        private int _runs;
        private readonly int[] _disabled = new int[4]; // by each thread, and not enabled by it since

        internal Item(Workqueue[] queues, Body[] bodies, bool isAsync)
        {
            _queues = queues;
            _bodies = bodies;
            _work = isAsync
                ? new DelayedWork<Item>(this, static (item, token) => item.RunAsync(token))
                : new DelayedWork<Item>(this, static item => item.Run());
        }

        private Workqueue AnyQueue => _queues[(uint)Interlocked.Increment(ref _next) % _queues.Length];

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
                case Call.Cancel:
                    // What another cancels with waiting is not there to be taken back.
                    long called = History.Now();
                    bool cancelled = _work.Cancel();
                    History.Add($"{thread} cancels: {cancelled}", called, History.Now(), item => item.Cancel(cancelled));
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
                case Call.FlushQueue when _queues.Length == 1:
                    called = History.Now();
                    _queues[0].Flush();
                    History.Add($"{thread} flushes the queue", called, History.Now(), item => item.BeginFlushQueue(thread), item => item.EndFlush(thread));
                    break;
                case Call.Disable:
                    called = History.Now();
                    bool taken = _work.Disable();
                    _disabled[thread]++;
                    History.Add($"{thread} disables: {taken}", called, History.Now(), item => item.BeginDisable(thread, taken), item => item.EndDisable(thread));
                    break;
                case Call.DisableSync:
                    DisableSync(thread, _work.DisableSync);
                    break;
                case Call.DisableSyncAsync:
                    DisableSync(thread, () => Await(_work.DisableSyncAsync()));
                    break;
                case Call.Enable when _disabled[thread] > 0:
                    Enable(thread);
                    break;
                case Call.Look:
                    called = History.Now();
                    bool pending = _work.IsPending;
                    History.Add($"{thread} sees it pending: {pending}", called, History.Now(), item => item.See(pending));
                    break;
                default:
                    Thread.Yield();
                    break;
            }
        }

        /// <summary>What awaits goes on, sooner or later: flushes wait for it.</summary>
        internal void LetGo()
        {
            if (!_gate.IsDone)
                _gate.Complete();
            Thread.Yield();
        }

        internal void End()
        {
            _gate.CompleteAll();
            CancelSync(thread: 9, _work.CancelSync);
            for (int thread = 0; thread < _disabled.Length; thread++)
            {
                while (_disabled[thread] > 0)
                    Enable(thread);
            }

            Queue("the last");
            _work.Flush();
            CancelSync(thread: 9, _work.CancelSync);
            Assert.Equal(WorkBusy.None, _work.Busy);
        }

        protected override bool QueueNow(TimeSpan delay) => AnyQueue.Queue(_work, delay);

        protected override bool ModifyNow(TimeSpan delay) => AnyQueue.Modify(_work, delay);

        private void DisableSync(int thread, Func<bool> disableSync)
        {
            long called = History.Now();
            bool taken = disableSync();
            _disabled[thread]++;
            History.Add($"{thread} disables and waits: {taken}", called, History.Now(), item => item.BeginDisable(thread, taken), item => item.EndDisable(thread),
                static item => item.BeginCancelSync(), static item => item.EndCancelSync());
        }

        private void Enable(int thread)
        {
            long called = History.Now();
            bool enabled = _work.Enable();
            _disabled[thread]--;
            History.Add($"{thread} enables: {enabled}", called, History.Now(), item => item.Enable(enabled));
        }

        private Body Begin()
        {
            Begins();
            return _runs < 8 ? _bodies[_runs++ % _bodies.Length] : Body.Nothing;
        }

        private void Run()
        {
            switch (Begin())
            {
                case Body.Yield:
                    Thread.Yield();
                    break;
                case Body.QueueItself:
                    Queue("it");
                    break;
                default:
                    break;
            }

            Ends();
        }

        private async ValueTask RunAsync(CancellationToken token)
        {
            try
            {
                switch (Begin())
                {
                    case Body.Yield:
                        await Task.Yield();
                        break;
                    case Body.QueueItself:
                        Queue("it");
                        break;
                    case Body.Await:
                        await _gate.WaitAsync(token);
                        break;
                    case Body.AwaitAndQueueItself:
                        await _gate.WaitAsync(token);
                        Queue("it");
                        break;
                    default:
                        break;
                }
            }
            finally
            {
                Ends();
            }
        }
    }
}
