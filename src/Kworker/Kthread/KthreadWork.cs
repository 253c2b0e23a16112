using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A function to be run by one certain thread, a <see cref="KthreadWorker"/> (<c>struct kthread_work</c>). It is queued once, may be queued
/// while it runs, and belongs to the worker that it was first queued on. All members are safe to call from any thread.
/// </summary>
[DebuggerDisplay("{FunctionName,nq}: {IsPending ? \"pending\" : \"not pending\",nq}")]
public abstract class KthreadWork : DeferredItem
{
    private protected KthreadWork()
    {
    }

    private KthreadWorker? _owner;

    /// <summary>The worker that it belongs to: the first that it was queued on, for good.</summary>
    internal KthreadWorker? Owner => Seam.Read(in _owner);

    /// <summary>How many cancel-syncs wait: while it is above zero, queueing is refused. Lock: the worker's.</summary>
    internal int Cancelling { get; set; }

    /// <summary>In the worker's list, or its time runs. Lock: the worker's.</summary>
    internal bool IsPending { get; set; }

    /// <summary>Pending, and its time runs: in the wheel, or about to come from there. Lock: the worker's.</summary>
    internal bool IsDelayed { get; set; }

    /// <summary>So many firings have begun for times that were taken back: they come to nothing. Lock: the worker's.</summary>
    internal int StaleFirings { get; set; }

    internal abstract string FunctionName { get; }

    /// <summary>False when it belongs to another worker.</summary>
    internal bool BelongTo(KthreadWorker worker) => (Seam.CompareExchange(ref _owner, worker, null) ?? worker) == worker;

    /// <summary>
    /// Takes back what is pending and waits until a run that has begun is over (<c>kthread_cancel_work_sync</c>,
    /// <c>kthread_cancel_delayed_work_sync</c>); meanwhile queueing is refused. True when it was pending.
    /// </summary>
    /// <exception cref="DeadlockException">The run waits for the caller, or is the caller: it would never end. Nothing has been taken back.</exception>
    public bool CancelSync()
    {
        if (Owner is not { } worker)
            return false;
        // Asked before anything is touched; if a run begins after that, asked again. The second time there is only the run to be waited for.
        WaitGraph.Wait? wait = WaitGraph.Begin(worker.TargetOfRun(this));
        try
        {
            bool taken = worker.BeginCancel(this, out Completion? run);
            if (run is not null)
            {
                try
                {
                    wait ??= WaitGraph.Begin(worker.TargetOfRun(this));
                    run.Wait();
                }
                finally
                {
                    worker.EndCancel(this);
                }
            }

            return taken;
        }
        finally
        {
            WaitGraph.End(wait);
        }
    }

    /// <inheritdoc cref="CancelSync"/>
    public async ValueTask<bool> CancelSyncAsync()
    {
        if (Owner is not { } worker)
            return false;
        WaitGraph.Wait? wait = WaitGraph.BeginAsync(worker.TargetOfRun(this));
        try
        {
            bool taken = worker.BeginCancel(this, out Completion? run);
            if (run is not null)
            {
                try
                {
                    wait ??= WaitGraph.BeginAsync(worker.TargetOfRun(this));
                    await run.WaitAsync();
                }
                finally
                {
                    worker.EndCancel(this);
                }
            }

            return taken;
        }
        finally
        {
            WaitGraph.End(wait);
        }
    }

    /// <summary>
    /// Waits until the last run queued before this call is over (<c>kthread_flush_work</c>). A delayed item whose time runs is queued at once, as
    /// <see cref="Work.Flush"/> does (the kernel's call would wait for ever).
    /// </summary>
    /// <exception cref="DeadlockException">The run waits for the caller, or is the caller: it would never end.</exception>
    public void Flush() => Owner?.Wait(this);

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => Owner?.WaitAsync(this) ?? default;
}

/// <summary>A kthread's work item of an owner.</summary>
/// <typeparam name="TOwner">What the function works on.</typeparam>
/// <param name="owner">Given to the function each time.</param>
/// <param name="function">Run on the worker's thread.</param>
public sealed class KthreadWork<TOwner>(TOwner owner, Action<TOwner> function) : KthreadWork
{
    private readonly WorkFunction<TOwner> _function = new(function);

    internal override string FunctionName => _function.Name;

    internal override void Execute() => _function.Run(owner);
}

/// <summary>A kthread's work item that can be queued after a delay (<c>struct kthread_delayed_work</c>).</summary>
public abstract class KthreadDelayedWork : KthreadWork
{
    private TimerEntry _timer;

    private protected KthreadDelayedWork()
    {
    }

    internal sealed override ref TimerEntry Timer => ref _timer;

    internal override void Expire() => Owner!.Expired(this);
}

/// <summary>A kthread's delayed work item of an owner.</summary>
/// <typeparam name="TOwner">What the function works on.</typeparam>
/// <param name="owner">Given to the function each time.</param>
/// <param name="function">Run on the worker's thread.</param>
public sealed class KthreadDelayedWork<TOwner>(TOwner owner, Action<TOwner> function) : KthreadDelayedWork
{
    private readonly WorkFunction<TOwner> _function = new(function);

    internal override string FunctionName => _function.Name;

    internal override void Execute() => _function.Run(owner);
}
