using Conformance.Scenarios;

namespace Conformance.Replay;

/// <summary>A replayer of the families that take place in a <see cref="Replay.World"/>; the scenario's tasks are freed at its end.</summary>
internal abstract class WorldReplayer(Waiters waiters, Schedule schedule) : Replayer
{
    protected World World { get; } = new(waiters, schedule);

    protected sealed override Answer Do(Step step) =>
        step.Operation == "elapse" ? World.Elapse(Number(step[1])) : World.Do(given => Do(step, given));

    protected abstract void Do(Step step, Answer given);

    /// <summary>Ends whatever tasks of the scenario still wait for.</summary>
    protected abstract void Release();

    protected sealed override void Close()
    {
        World.Close(Release);
        World.Dispose();
    }
}
