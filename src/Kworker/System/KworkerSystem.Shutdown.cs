namespace Kworker;

/// <content>How it comes to rest, and how it ends when there is only so much time.</content>
public sealed partial class KworkerSystem
{
    /// <summary>So many items a queue are taken back at a time: nobody waits for the lock because a million wait in line.</summary>
    private const int TakenAtOnce = 4096;

    private const int Alive = 0;
    private const int Ending = 1; // somebody ends it
    private const int Ended = 2;  // its threads are told to end, or what they do has been given up

    /// <summary>Alive → Ending by who ends it, by compare-and-swap; Ending → Ended by the same.</summary>
    private int _end;

    /// <summary>Nothing of it is waited for any more.</summary>
    internal bool HasEnded => Seam.Read(in _end) == Ended;

    /// <summary>
    /// Waits until nothing is queued and nothing runs on any of its queues, all at one moment. What is queued meanwhile is waited for, too; items whose time runs
    /// are not. Call it from outside: a work function of this system would wait for itself.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask WhenIdleAsync(CancellationToken cancellationToken = default)
    {
        do
        {
            foreach (Workqueue queue in AliveQueues)
                await queue.WaitUntilIdleAsync(cancellationToken);
        }
        while (!AreAllIdle);
    }

    /// <summary>
    /// Ends the system within a time, and says what that left undone. Stop what queues work from outside before.
    /// <list type="number">
    /// <item>Items that wait for their time are given up, or run at once if their queue says so (<see cref="WorkqueueOptions.RunDelayedAtShutdown"/>). What is queued runs, on
    /// all queues, and so does what it queues in turn, on whichever queue.</item>
    /// <item>When <paramref name="grace"/> is over before that is done: what has not begun is taken back, and the tokens of async functions are cancelled.</item>
    /// <item>When <paramref name="cancellationToken"/> is cancelled, what still runs is given up: its threads go on, and nothing waits for them any more.</item>
    /// </list>
    /// Afterwards it takes no work: whoever queues gets an exception. To dispose of it, or of its queues, then does nothing and returns at once. Kthreads are their makers' to stop.
    /// Call it from outside: not from a work function of this system.
    /// </summary>
    /// <param name="grace">On the system's clock; negative: no end.</param>
    /// <param name="cancellationToken">The end of all patience. It does not make the call throw.</param>
    /// <returns>What was given up, interrupted or left running; empty when all was done. Empty, too, when the system had been ended already.</returns>
    public async ValueTask<IReadOnlyList<UnfinishedWork>> ShutdownAsync(TimeSpan grace, CancellationToken cancellationToken = default)
    {
        if (!TryBeginEnd())
            return [];
        var unfinished = new List<UnfinishedWork>();
        bool isIdle = await FinishAsync(grace, unfinished, cancellationToken);

        // From here on nothing enters from outside. Somebody may have been quick: it is waited for as the rest.
        var closed = new List<Workqueue>();
        Close(closed);
        isIdle = isIdle && AreAllIdle;
        if (!isIdle)
        {
            var interrupted = new Dictionary<Work, UnfinishedWork>();
            isIdle = await EndRunsAsync(closed, unfinished, interrupted, cancellationToken);
            if (!isIdle)
                AddRunning(unfinished, interrupted);
            unfinished.AddRange(interrupted.Values);
        }

        if (isIdle && await TryEndHelpersAsync(cancellationToken))
        {
            foreach (Workqueue queue in closed)
                queue.EndDrain(close: true);
            Helpers.Stop();
            EndThreads();
        }
        else
        {
            foreach (Workqueue queue in closed)
                queue.Abandon();
            KworkerMeter.Remove(this);
            Seam.Write(ref _end, Ended);
        }

        return unfinished;
    }

    private bool TryBeginEnd() => Seam.CompareExchange(ref _end, Ending, Alive) == Alive;

    /// <summary>Until all is done, and nothing waits for its time; false when the time is over.</summary>
    private async ValueTask<bool> FinishAsync(TimeSpan grace, List<UnfinishedWork> unfinished, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(this, grace, cancellationToken);
        try
        {
            while (EndDelays(unfinished) || !AreAllIdle)
                await WhenIdleAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsOver)
        {
            return false;
        }
    }

    /// <summary>
    /// Queues are closed, and the time is over: takes back what has not begun, tells async functions to stop, and waits for what has begun. False when patience is at its end.
    /// </summary>
    private async ValueTask<bool> EndRunsAsync(List<Workqueue> closed, List<UnfinishedWork> unfinished, Dictionary<Work, UnfinishedWork> interrupted, CancellationToken cancellationToken)
    {
        try
        {
            do
            {
                TakeBack(unfinished); // first: the end of what runs makes room for what waits
                Interrupt(unfinished, interrupted);
                foreach (Workqueue queue in closed)
                    queue.CancelRuns();
                // What they queue as they end is of the next round.
                foreach (Workqueue queue in closed)
                    await queue.WaitForEpochAsync(cancellationToken);
                Close(closed);
            }
            while (!AreAllIdle);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            TakeBack(unfinished);
            return false;
        }
    }

    /// <summary>What has begun is not to queue itself again.</summary>
    private void Interrupt(List<UnfinishedWork> unfinished, Dictionary<Work, UnfinishedWork> interrupted)
    {
        foreach ((Work work, Workqueue queue, bool hasBegun, TimeSpan? duration) in new SnapshotCollector(this, maxItems: 0).TakeItems())
        {
            if (!hasBegun)
                continue;
            if (work.IsAsync)
                interrupted.TryAdd(work, Of(work, queue, UnfinishedState.Interrupted, duration));
            if (!work.IsDisabled && work.Disable())
                unfinished.Add(Of(work, queue, UnfinishedState.Waiting));
        }
    }

    private async ValueTask<bool> TryEndHelpersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Helpers.DrainAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private bool AreAllIdle
    {
        get
        {
            Workqueue[] queues = AliveQueues;
            RunLock.Enter();
            bool idle = Array.TrueForAll(queues, static queue => queue.IsIdleNow);
            RunLock.Exit();
            return idle;
        }
    }

    /// <summary>Closes queues that are not yet closed: more may have been made.</summary>
    private void Close(List<Workqueue> closed)
    {
        foreach (Workqueue queue in AliveQueues)
        {
            if (closed.Contains(queue))
                continue;
            queue.BeginDrain();
            closed.Add(queue);
        }
    }

    /// <summary>Runs or gives up what waits for its time; true when something is to be waited for.</summary>
    private bool EndDelays(List<UnfinishedWork> unfinished)
    {
        bool any = false;
        foreach ((DelayedWork work, TimeSpan dueIn) in Timers.Collect<DelayedWork>(int.MaxValue))
        {
            if (work.Target is not { } queue)
                continue;
            if (queue.RunsDelayedAtShutdown)
                any |= work.TryExpedite();
            else if (work.Cancel())
                unfinished.Add(Of(work, queue, UnfinishedState.Delayed, dueIn: dueIn));
        }

        return any;
    }

    /// <summary>Takes back what has not begun.</summary>
    private void TakeBack(List<UnfinishedWork> unfinished)
    {
        int before;
        do
        {
            before = unfinished.Count;
            foreach ((DelayedWork work, TimeSpan dueIn) in Timers.Collect<DelayedWork>(int.MaxValue))
            {
                if (work.Target is { } queue && work.Cancel())
                    unfinished.Add(Of(work, queue, UnfinishedState.Delayed, dueIn: dueIn));
            }

            foreach ((Work work, Workqueue queue, bool hasBegun, _) in new SnapshotCollector(this, TakenAtOnce).TakeItems())
            {
                if (!hasBegun && work.Cancel())
                    unfinished.Add(Of(work, queue, UnfinishedState.Waiting));
            }
        }
        while (unfinished.Count != before);
    }

    private void AddRunning(List<UnfinishedWork> unfinished, Dictionary<Work, UnfinishedWork> interrupted)
    {
        var running = new HashSet<Work>();
        foreach ((Work work, Workqueue queue, bool hasBegun, TimeSpan? duration) in new SnapshotCollector(this, maxItems: 0).TakeItems())
        {
            interrupted.Remove(work);
            if (hasBegun && running.Add(work))
                unfinished.Add(Of(work, queue, UnfinishedState.Running, duration));
        }
    }

    private static UnfinishedWork Of(Work work, Workqueue queue, UnfinishedState state, TimeSpan? duration = null, TimeSpan? dueIn = null) => new()
    {
        Name = work.FunctionName,
        Queue = queue.Name,
        State = state,
        Duration = duration,
        DueIn = dueIn,
    };
}
