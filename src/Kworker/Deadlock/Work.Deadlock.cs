namespace Kworker;

/// <content>How its waits are recorded. See <see cref="WaitGraph"/>.</content>
public abstract partial class Work
{
    /// <summary>
    /// Before anything is touched: if it runs, a flush would have to wait for that run at least, and what that would wait for for ever is refused here. What
    /// depends on a run that is still to come is found when the barrier stands; one that is left standing makes nobody wait.
    /// </summary>
    private void CheckFlush(bool isAsync)
    {
        if (!WaitGraph.CallerCounts || (Seam.Read(in State) & Running) == 0)
            return;
        var target = new RunTarget(this, BoundSystem!, "Flush");
        if (isAsync)
            WaitGraph.CheckAsync(target);
        else
            WaitGraph.Check(target);
    }

    /// <summary>Before anything is touched. Null when it does not run now: then there may be nothing to wait for.</summary>
    private WaitGraph.Wait? BeginCancelWait(bool isAsync) =>
        WaitGraph.CallerCounts && (Seam.Read(in State) & (Running | Canceling)) != 0 && BoundSystem is { } system
            ? BeginWait(new RunTarget(this, system, "CancelSync"), isAsync)
            : null;

    /// <summary>A run has begun in the meantime, and must be waited for.</summary>
    private void BeginLateCancelWait(ref WaitGraph.Wait? wait, bool isAsync)
    {
        if (wait is not null || !WaitGraph.CallerCounts)
            return;
        try
        {
            wait = BeginWait(new RunTarget(this, BoundSystem!, "CancelSync"), isAsync);
        }
        catch (DeadlockException)
        {
            EndCancel();
            throw;
        }
    }

    private static WaitGraph.Wait? BeginWait(RunTarget target, bool isAsync) =>
        isAsync ? WaitGraph.BeginAsync(target) : WaitGraph.Begin(target);
}
