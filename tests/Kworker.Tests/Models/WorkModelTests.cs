using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Random operations of several threads on one work item: their histories are linearizable.</summary>
public sealed class WorkModelTests : IDisposable
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

    private sealed class Item
    {
        private readonly DelayedWork<Item> _work;
        private readonly Workqueue[] _queues;
        private readonly Body[] _bodies;
        private readonly Completion _gate = new();
        private int _next; // which queue
        private int _runs;
        private readonly int[] _disabled = new int[4]; // by each thread, and not enabled by it since
        private long _lastEnd;

        internal Item(Workqueue[] queues, Body[] bodies, bool isAsync)
        {
            _queues = queues;
            _bodies = bodies;
            _work = isAsync
                ? new DelayedWork<Item>(this, static (item, token) => item.RunAsync(token))
                : new DelayedWork<Item>(this, static item => item.Run());
        }

        internal History History { get; } = new();

        private Workqueue AnyQueue => _queues[(uint)Interlocked.Increment(ref _next) % _queues.Length];

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
                    bool modified = AnyQueue.Modify(_work, later ? s_never : TimeSpan.Zero);
                    History.Add($"{thread} modifies{(later ? " for later" : "")}: {modified}", called, History.Now(), item => item.Modify(later, modified));
                    break;
                case Call.Cancel:
                    // What another cancels with waiting is not there to be taken back.
                    bool cancelled = _work.Cancel();
                    History.Add($"{thread} cancels: {cancelled}", called, History.Now(), item => item.Cancel(cancelled));
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
                case Call.FlushQueue when _queues.Length == 1:
                    _queues[0].Flush();
                    History.Add($"{thread} flushes the queue", called, History.Now(), item => item.BeginFlushQueue(thread), item => item.EndFlush(thread));
                    break;
                case Call.Disable:
                    bool taken = _work.Disable();
                    _disabled[thread]++;
                    History.Add($"{thread} disables: {taken}", called, History.Now(), item => item.BeginDisable(thread, taken), item => item.EndDisable(thread));
                    break;
                case Call.DisableSync:
                    DisableSync(called, _work.DisableSync(), thread);
                    break;
                case Call.DisableSyncAsync:
                    DisableSync(called, _work.DisableSyncAsync().AsTask().GetAwaiter().GetResult(), thread);
                    break;
                case Call.Enable when _disabled[thread] > 0:
                    Enable(called, thread);
                    break;
                case Call.Look:
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
            CancelSync(History.Now(), _work.CancelSync(), thread: 9);
            for (int thread = 0; thread < _disabled.Length; thread++)
            {
                while (_disabled[thread] > 0)
                    Enable(History.Now(), thread);
            }

            Queue(History.Now(), TimeSpan.Zero, "queued at last");
            _work.Flush();
            CancelSync(History.Now(), _work.CancelSync(), thread: 9);
            Assert.Equal(WorkBusy.None, _work.Busy);
        }

        private void Queue(long called, TimeSpan delay, string text)
        {
            bool queued = AnyQueue.Queue(_work, delay);
            History.Add($"{text}: {queued}", called, History.Now(), item => item.Queue(delay > TimeSpan.Zero, queued));
        }

        private void CancelSync(long called, bool cancelled, int thread) => History.Add(
            $"{thread} cancels and waits: {cancelled}", called, History.Now(), item => item.BeginCancelSync(cancelled), static item => item.EndCancelSync());

        private void DisableSync(long called, bool taken, int thread)
        {
            _disabled[thread]++;
            History.Add($"{thread} disables and waits: {taken}", called, History.Now(), item => item.BeginDisable(thread, taken), item => item.EndDisable(thread),
                static item => item.BeginCancelSync(), static item => item.EndCancelSync());
        }

        private void Enable(long called, int thread)
        {
            bool enabled = _work.Enable();
            _disabled[thread]--;
            History.Add($"{thread} enables: {enabled}", called, History.Now(), item => item.Enable(enabled));
        }

        private void Flushed(long called, int thread) =>
            History.Add($"{thread} flushes", called, History.Now(), item => item.BeginFlush(thread), item => item.EndFlush(thread));

        private Body Begin()
        {
            long entered = History.Now();
            History.AddBegin(_lastEnd, entered);
            return _runs < 8 ? _bodies[_runs++ % _bodies.Length] : Body.Nothing;
        }

        private void Leave()
        {
            _lastEnd = History.Now();
            History.AddEnd(_lastEnd);
        }

        private void Run()
        {
            switch (Begin())
            {
                case Body.Yield:
                    Thread.Yield();
                    break;
                case Body.QueueItself:
                    Queue(History.Now(), TimeSpan.Zero, "it queues itself");
                    break;
                default:
                    break;
            }

            Leave();
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
                        Queue(History.Now(), TimeSpan.Zero, "it queues itself");
                        break;
                    case Body.Await:
                        await _gate.WaitAsync(token);
                        break;
                    case Body.AwaitAndQueueItself:
                        await _gate.WaitAsync(token);
                        Queue(History.Now(), TimeSpan.Zero, "it queues itself");
                        break;
                    default:
                        break;
                }
            }
            finally
            {
                Leave();
            }
        }
    }
}
