namespace Kworker;

/// <summary>Whom to wake, decided under the run lock and done after it.</summary>
internal readonly struct WakePlan(WorkerPool pool, PoolWorker? worker, Rescuer? rescuers, PlanKind kind)
{
    internal bool IsAny => kind != PlanKind.None;

    internal void Carry()
    {
        switch (kind)
        {
            case PlanKind.None:
                return;
            case PlanKind.Wake:
                worker!.Unpark();
                break;
            case PlanKind.Start:
                pool.StartWorker();
                break;
            case PlanKind.CapReached:
                pool.ReportCap();
                goto case PlanKind.Rescue;
            case PlanKind.Rescue:
                pool.Rescue(rescuers);
                break;
        }

        pool.System.Monitor?.Poke();
    }
}

/// <summary>What a <see cref="WakePlan"/> asks for.</summary>
internal enum PlanKind
{
    None,

    /// <summary>Wake an idle worker.</summary>
    Wake,

    /// <summary>Make a worker.</summary>
    Start,

    /// <summary>No more may be made: wake rescuers.</summary>
    Rescue,

    /// <summary>As <see cref="Rescue"/>, and for the first time since one could be made: say so.</summary>
    CapReached,
}
