namespace Kworker;

/// <summary>How a queue comes to rest.</summary>
public sealed partial class Workqueue
{
    /// <summary>
    /// Waits until nothing is queued and nothing runs (<c>drain_workqueue</c>). Meanwhile only items of the queue itself may queue items on it; others
    /// are refused by an exception. Items whose time runs are not waited for.
    /// </summary>
    /// <exception cref="DeadlockException">As <see cref="Flush"/>. The queue takes items as before.</exception>
    public void Drain() => Drain(close: false, Timeout.InfiniteTimeSpan);

    /// <inheritdoc cref="Drain()"/>
    public ValueTask DrainAsync() => DropResult(DrainAsync(close: false, Timeout.InfiniteTimeSpan));

    /// <summary>
    /// As <see cref="Drain()"/>, but after <paramref name="grace"/> the tokens of async functions are cancelled, of those in progress and of those that
    /// begin later. It still waits until all has ended: a function that does not heed its token, or has none, is waited for.
    /// </summary>
    /// <param name="grace">On the clock of the queue's system; negative: without end.</param>
    /// <returns>True when all had ended before the time was over.</returns>
    /// <exception cref="DeadlockException">As <see cref="Flush"/>. The queue takes items as before.</exception>
    public bool Drain(TimeSpan grace) => Drain(close: false, grace);

    /// <inheritdoc cref="Drain(TimeSpan)"/>
    public ValueTask<bool> DrainAsync(TimeSpan grace) => DrainAsync(close: false, grace);

    /// <summary>Drains it, and refuses all items from then on (<c>destroy_workqueue</c>). Cancel delayed items first.</summary>
    /// <exception cref="DeadlockException">As <see cref="Flush"/>. The queue takes items as before.</exception>
    public void Dispose() => Drain(close: true, Timeout.InfiniteTimeSpan);

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => DropResult(DrainAsync(close: true, Timeout.InfiniteTimeSpan));

    private static async ValueTask DropResult(ValueTask<bool> task) => await task;

    private bool Drain(bool close, TimeSpan grace)
    {
        if (close && OwningSystem.HasEnded)
            return true;
        CheckDrain(isAsync: false);
        BeginDrain();
        bool isIdle = false;
        bool inTime = true;
        try
        {
            if (grace >= TimeSpan.Zero && !FlushUntilIdle(grace))
            {
                inTime = false;
                CancelRuns();
            }

            while (!IsIdle)
                Wait(CloseEpoch(), "Drain");
            isIdle = true;
        }
        finally
        {
            EndDrain(close && isIdle);
        }

        return inTime;
    }

    private async ValueTask<bool> DrainAsync(bool close, TimeSpan grace)
    {
        if (close && OwningSystem.HasEnded)
            return true; // what it could not wait for it has reported
        CheckDrain(isAsync: true);
        BeginDrain();
        bool isIdle = false;
        bool inTime = true;
        try
        {
            if (grace >= TimeSpan.Zero && !await FlushUntilIdleAsync(grace))
            {
                inTime = false;
                CancelRuns();
            }

            while (!IsIdle)
                await WaitAsync(CloseEpoch(), "Drain");
            isIdle = true;
        }
        finally
        {
            EndDrain(close && isIdle);
        }

        return inTime;
    }

    private bool FlushUntilIdle(TimeSpan grace)
    {
        using var limit = new TimeLimit(OwningSystem, grace);
        try
        {
            while (!IsIdle)
                CloseEpoch()?.Done.Wait(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsOver)
        {
            return IsIdle;
        }
    }

    private async ValueTask<bool> FlushUntilIdleAsync(TimeSpan grace)
    {
        using var limit = new TimeLimit(OwningSystem, grace);
        try
        {
            await WaitUntilIdleAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsOver)
        {
            return IsIdle;
        }
    }

    /// <summary>Waits until it is idle. Whoever queues meanwhile is waited for, too.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal async ValueTask WaitUntilIdleAsync(CancellationToken cancellationToken)
    {
        while (!IsIdle)
            await WaitForEpochAsync(cancellationToken);
    }

    /// <summary>Waits for what is queued or runs now.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal ValueTask WaitForEpochAsync(CancellationToken cancellationToken) =>
        CloseEpoch() is { } epoch ? epoch.Done.WaitAsync(cancellationToken) : default;

    /// <summary>Run lock.</summary>
    internal bool IsIdleNow
    {
        get
        {
            _pool.SettleStages();
            return IsIdleLocked;
        }
    }

    /// <summary>Its system ends and cannot wait for what runs: it takes nothing any more.</summary>
    internal void Abandon()
    {
        OwningSystem.RunLock.Enter();
        _isDisposed = true;
        MayArmDirectly = false;
        OwningSystem.RunLock.Exit();
    }

    /// <summary>From here on it takes items of its own only, until <see cref="EndDrain"/>.</summary>
    internal void BeginDrain()
    {
        RunLock runLock = OwningSystem.RunLock;
        runLock.Enter();
        _drainers++;
        if (!IsOdd(_signs.Gate))
        {
            Seam.Write(ref _signs.Gate, _signs.Gate + 1);
            Seam.Fence();
            _isClosing = true;
            runLock.Settle();
            _isClosing = false;
        }

        runLock.Exit();
    }

    /// <summary>To close it is one step with the end of the drain: between the two, somebody could queue what would then run after Dispose.</summary>
    internal void EndDrain(bool close)
    {
        OwningSystem.RunLock.Enter();
        _drainers--;
        _isDisposed |= close;
        MayArmDirectly &= !close;
        if (!_isDisposed && _drainers == 0)
            Seam.Write(ref _signs.Gate, _signs.Gate + 1);
        if (_drainers == 0)
            Seam.Write(ref _isOverdue, 0);
        OwningSystem.RunLock.Exit();
        if (!close)
            return;
        Rescuer?.Stop();
        OwningSystem.Unregister(this);
    }

    /// <summary>The time of a drain is over: what begins gets a cancelled token. Written under the run lock; read after the token has been published.</summary>
    internal bool IsOverdue => Seam.Read(in _isOverdue) != 0;

    /// <summary>Run lock.</summary>
    internal void AddAsync(WorkRun run) => _asyncRuns.Add(run);

    /// <summary>Run lock.</summary>
    internal void RemoveAsync(WorkRun run) => _asyncRuns.Remove(run);

    /// <summary>Cancels the tokens of all async runs, and of those to come until the drain ends.</summary>
    internal void CancelRuns()
    {
        Work[] works = [];
        int count;
        while (true)
        {
            OwningSystem.RunLock.Enter();
            Seam.Write(ref _isOverdue, 1); // those that begin from here on see it
            count = 0;
            for (WorkRun? run = _asyncRuns.First; run is not null; run = LinkedStack<WorkRun, WorkRun.InQueue>.After(run))
            {
                if (count < works.Length)
                    works[count] = run.Work!;
                count++;
            }

            OwningSystem.RunLock.Exit();
            if (count <= works.Length)
                break;
            works = new Work[2 * count];
        }

        foreach (Work work in works.AsSpan(0, count))
            work.CancelRun();
    }
}
