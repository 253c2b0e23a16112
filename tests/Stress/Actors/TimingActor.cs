using System.Diagnostics;

namespace Kworker.Stress.Actors;

/// <summary>Delayed items that nobody else touches: never early, and run once for each time that they were queued.</summary>
internal sealed class TimingActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
    {
        using var queue = new Workqueue(Name, null, World.System);
        queue.UnhandledException += (_, e) => World.Reported(e);
        Timed[] items = [.. Enumerable.Range(0, Random.Next(1, 200)).Select(i => new Timed(Verdict, $"{Name} item {i}"))];
        foreach (Timed item in items)
            World.Watch(item.Work, "timed item");
        while (IsOn)
        {
            Timed item = One(items);
            switch (Random.Next(10))
            {
                case < 6:
                    Doing("queue");
                    item.Queue(queue, UpTo(20));
                    break;
                case < 8:
                    Doing("modify");
                    item.Modify(queue, UpTo(20));
                    break;
                case < 9:
                    Doing("cancel");
                    item.Cancel();
                    break;
                default:
                    Doing("sleep");
                    Thread.Sleep(Random.Next(3));
                    break;
            }
        }

        Doing("end");
        foreach (Timed item in items)
            item.End();
    }

    private sealed class Timed(Verdict verdict, string name)
    {
        private readonly Ledger _ledger = new(verdict, name);
        private DelayedWork<Timed>? _work;
        private long _notBefore;

        internal DelayedWork<Timed> Work => _work ??= new DelayedWork<Timed>(this, static item => item.Run());

        internal void Queue(Workqueue queue, TimeSpan delay)
        {
            if (Work.IsPending)
                return;
            // Idle: what runs from here on is what is queued here. Running: the run in progress may yet look, and is of an earlier time.
            long notBefore = After(delay);
            Volatile.Write(ref _notBefore, Work.Busy == WorkBusy.None ? notBefore : Math.Min(notBefore, _notBefore));
            bool queued = queue.Queue(Work, delay);
            Volatile.Write(ref _notBefore, notBefore);
            verdict.Check(queued, _ledger, static ledger => $"{ledger}: was not pending, and is not queued");
            _ledger.Accept(queued);
        }

        internal void Modify(Workqueue queue, TimeSpan delay)
        {
            long notBefore = After(delay), before = _notBefore;
            Volatile.Write(ref _notBefore, Math.Min(notBefore, before)); // the firing under way may be the one for the time before
            _ledger.Accept(!queue.Modify(Work, delay));
            Volatile.Write(ref _notBefore, notBefore);
        }

        internal void Cancel()
        {
            Volatile.Write(ref _notBefore, 0);
            _ledger.BeginDisturb();
            _ledger.EndDisturb(Work.Cancel());
        }

        internal void End()
        {
            _ledger.BeginDisturb();
            _ledger.EndDisturb(Work.CancelSync());
            _ledger.CheckBalance();
        }

        private static long After(TimeSpan delay) => Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency);

        private void Run()
        {
            // The owner may have set a later one already: then that one is pending, or was, and has been replaced since.
            long notBefore = Volatile.Read(ref _notBefore), now = Stopwatch.GetTimestamp();
            _ledger.BeginRun();
            if (now < notBefore && !Work.IsPending && Volatile.Read(ref _notBefore) == notBefore)
                verdict.Fail($"{name} runs {Stopwatch.GetElapsedTime(now, notBefore).TotalMilliseconds} ms early");
            _ledger.EndRun();
        }
    }
}
