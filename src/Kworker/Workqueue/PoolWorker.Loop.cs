namespace Kworker;

/// <content>What it does next, and when it sleeps.</content>
internal sealed partial class PoolWorker
{
    private void RunPool(RunLock runLock)
    {
        _pool.WorkerArrives(this);
        while (true)
        {
            while (true)
            {
                if (!_continuations.IsEmpty)
                {
                    runLock.Exit();
                    RunContinuations();
                    runLock.EnterUnsettled();
                    CountIn(Detected);
                }
                else if (_pool.TryFill(_stage))
                {
                    do
                    {
                        runLock.Exit();
                        RunStage();
                        runLock.EnterUnsettled();
                        CountIn(Detected);
                        if (_stage.IsEager)
                            runLock.Settle(); // what becomes active now stands behind what has been pushed before
                        _stage.Clear();
                    }
                    while (_continuations.IsEmpty && _pool.TryFill(_stage));
                    _pool.Forget(_stage);
                }
                else if (_pool.TryFill(_continuations))
                {
                    continue;
                }
                else if (_pool.NextItem() is not { } item)
                {
                    break;
                }
                else if (item.IsTied)
                {
                    _run.Scheduled.TakeTied(item);
                }
                else
                {
                    Process(item);
                }

                ProcessScheduled();
                if (runLock.HasNoted)
                {
                    runLock.Exit();
                    runLock.EnterUnsettled();
                }
            }

            if (TrySteal(runLock))
                continue;
            _stage.Release();
            if (!_pool.TryIdle(this) || !Idle(runLock))
                break;
        }
    }

    /// <summary>Whether there is something in the pool's list now. The run lock is held before and after.</summary>
    private bool TrySteal(RunLock runLock)
    {
        if (_pool.TrySteal(out bool isAlone))
            return true;
        if (!isAlone)
            return false;
        // Somebody has a single item waiting behind the one that it runs. Mostly that is over before we could begin the other.
        runLock.Exit();
        for (int i = 0; i < LookAgainAfter; i++)
            Seam.Pause();
        runLock.Enter();
        return _pool.NextItem() is not null || _pool.TrySteal(out _);
    }

    /// <summary>In pauses: about a microsecond.</summary>
    private const int LookAgainAfter = 40;

    /// <summary>
    /// Runs the items of its queue that wait when it is called. It sleeps only when it is neither called nor stopped, which it finds under the run lock; who changes
    /// that unparks it afterwards.
    /// </summary>
    private void RunRescuer(Rescuer rescuer, RunLock runLock)
    {
        runLock.Settle();
        while (!rescuer.IsStopping)
        {
            while (rescuer.NextItem() is { } item)
            {
                if (item.IsTied)
                    _run.Scheduled.TakeTied(item);
                else
                    Process(item);
                ProcessScheduled();
            }

            while (rescuer.IsIdle)
            {
                runLock.Exit();
                _parker.Park();
                runLock.Enter();
            }
        }
    }

    /// <summary>What may run only when the run that has just ended is over, before anything else.</summary>
    private void ProcessScheduled()
    {
        while (_run.Scheduled.First is { } next)
            Process(next);
    }

    /// <summary>Sleeps until the pool takes it from its idle workers; false when it is to end instead. The run lock is held before and after.</summary>
    private bool Idle(RunLock runLock)
    {
        while (IsIdle) // a wake-up may be an old one, of a wait that is over
        {
            runLock.Exit();
            bool woken = _parker.Park(s_idleTimeout);
            runLock.EnterUnsettled();
            if (!woken && IsIdle && _pool.TryRetire(this))
                return false;
        }

        _pool.WorkerArrives(this);
        return true;
    }
}
