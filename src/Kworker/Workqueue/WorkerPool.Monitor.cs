namespace Kworker;

/// <content>What the monitor sees of it, and does.</content>
internal sealed partial class WorkerPool
{
    /// <summary>
    /// By the monitor, without the lock: counts out workers that have not moved since the last look and sleep, while work waits, and counts in again those that
    /// run after all.
    /// </summary>
    internal PoolActivity Look()
    {
        if (Volatile.Read(ref _busy.First) is null)
            return PoolActivity.None;
        system.RunLock.EnterUnsettled();
        bool waits = HasListed;
        for (PoolWorker? worker = _busy.First; worker is not null && !waits; worker = LinkedStack<PoolWorker, PoolWorker.InPool>.After(worker))
            waits = worker.HasWaiting;
        int suspects = 0;
        int recovering = 0;
        for (PoolWorker? worker = _busy.First; worker is not null; worker = LinkedStack<PoolWorker, PoolWorker.InPool>.After(worker))
        {
            worker.NoteLook();
            if (worker.Stands && MayCome && worker.HasWaiting && worker.ReturnWaiting(half: true))
                NeedsPlan = true; // it computes: another, who did not come because items used to be short, is to take what stands behind it
            if (worker.IsDetected)
            {
                if (recovering < MaxSuspects)
                    _recovering[recovering++] = worker;
            }
            else if (waits && worker.CountsAsRunning && worker.IsInside && suspects < MaxSuspects)
            {
                _suspects[suspects++] = worker;
            }
        }

        if (waits && MayCome)
            NeedsPlan = true;
        if (!waits)
            _extra = 0;
        bool wasExtra = _extra > 0;
        system.RunLock.Exit();

        int blocked = 0;
        int asleep = 0; // for the first time: what the next look finds
        int computing = 0;
        for (int i = 0; i < suspects; i++)
        {
            PoolWorker worker = _suspects[i]!;
            _suspects[i] = null;
            if (worker.SleepsOn(out bool isAsleep))
                blocked += worker.TryDetect() ? 1 : 0;
            else if (isAsleep)
                asleep++;
            else if (worker.Stands)
                computing++;
        }

        for (int i = 0; i < recovering; i++)
        {
            PoolWorker worker = _recovering[i]!;
            _recovering[i] = null;
            if (!worker.IsAsleep)
                worker.Undetect();
        }

        if (blocked + computing > 0)
        {
            // If all that stand still block, so probably does what waits: with one worker for each that was found, a thousand would take seconds. One that
            // computes ends that.
            system.RunLock.Enter();
            _extra = computing == 0 ? Math.Max(_extra, Math.Min(MoreForEachBlocked * blocked, MaxSuspects)) : 0;
            NeedsPlan = true;
            wasExtra = _extra > 0;
            system.RunLock.Exit();
        }

        return wasExtra || asleep > 0 ? PoolActivity.Blocked : PoolActivity.Some;
    }

    /// <summary>While all that run are found blocked, so many are let in for each: 64 items need two rounds of looks on two processors, a thousand three.</summary>
    private const int MoreForEachBlocked = 8;

    /// <summary>So many workers are looked at closely in one look.</summary>
    private const int MaxSuspects = 256;

    // The monitor's own.
    private readonly PoolWorker?[] _suspects = new PoolWorker?[MaxSuspects];
    private readonly PoolWorker?[] _recovering = new PoolWorker?[MaxSuspects];
}
