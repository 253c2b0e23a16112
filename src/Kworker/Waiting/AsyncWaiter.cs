using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading.Tasks.Sources;

namespace Kworker;

/// <summary>
/// A wait of an async method; pooled, so that awaiting allocates nothing. What follows the await runs where it came from: on the context that awaited
/// (a kthread's, an async work function's, whatever <see cref="SynchronizationContext"/> the caller has); on the workers of the
/// <see cref="KworkerSystem"/> when a worker awaited without one; else, for code that has nothing to do with us but the wait, on the .NET thread pool, where it
/// would go on after any other await. Never on the thread that woke it.
/// <para>
/// Continuation word: null → the continuation (by the awaiter) → taken (by <see cref="Resume"/>), or null → <c>Resumed</c> (by
/// <see cref="Resume"/>, which came first) → the awaiter schedules itself. One compare-and-swap decides who of the two does it.
/// </para>
/// </summary>
internal sealed class AsyncWaiter : Waiter, IValueTaskSource<WaitResult>, IValueTaskSource, IThreadPoolWorkItem
{
    private static readonly Action<object?> s_resumed = static _ => { };
    private static readonly Action<object?> s_invokeAction = static action => ((Action)action!)();
    private static readonly ContextCallback s_runInContext = static state => ((AsyncWaiter)state!).Invoke();
    private static readonly SendOrPostCallback s_runPosted = static state => ((AsyncWaiter)state!).Run();

    private Action<object?>? _continuation;
    private object? _state;
    private Destination? _destination; // made when first needed, and kept
    private bool _hasDestination; // of the present wait: where what follows goes on, if not on the thread pool
    private short _version;

    internal static AsyncWaiter Rent() => AsyncWaiterPool.Take() ?? new AsyncWaiter();

    /// <summary>By the owner, when nobody can call in any more. Tokens given out before are void from here.</summary>
    internal void Return()
    {
        Finish();
        _version++;
        ForgetContinuation();
        AsyncWaiterPool.Give(this);
    }

    /// <summary>The wait as a task that ends with the wait and gives the waiter back.</summary>
    internal ValueTask<WaitResult> AsTask() => new(this, _version);

    /// <inheritdoc cref="AsTask"/>
    internal ValueTask AsUntypedTask() => new(this, _version);

    /// <summary>To await the next <see cref="Resume"/> within a wait that goes on.</summary>
    internal SuspendAwaitable Suspend() => new(this);

    internal override void Resume()
    {
        if (TakeContinuation())
            Schedule();
    }

    /// <summary>
    /// It goes on outside of this library, and is ready to: who wakes several may leave it to a <see cref="ResumeRun"/>. By who claimed it.
    /// </summary>
    internal bool IsReadyElsewhere => Seam.Read(in _continuation) is not null && (!_hasDestination || _destination!.IsThreadPool);

    /// <summary>True when there is a continuation, and the caller schedules it; else the awaiter will.</summary>
    private bool TakeContinuation() =>
        Seam.Read(in _continuation) is not null || Seam.CompareExchange(ref _continuation, s_resumed, null) is not null;

    /// <summary>A hint only, from anybody at any time: the object may be another wait's by now, and the address another object's.</summary>
    internal unsafe void Prefetch()
    {
        if (!Sse.IsSupported)
            return;
        byte* start = (byte*)Unsafe.AsPointer(ref NextToResume);
        Sse.Prefetch0(start);
        Sse.Prefetch0(start + 64);
    }

    /// <inheritdoc cref="Prefetch"/>
    internal unsafe void PrefetchState()
    {
        if (!Sse.IsSupported || _state is not { } state)
            return;
        byte* start = *(byte**)Unsafe.AsPointer(ref state);
        Sse.Prefetch0(start);
        Sse.Prefetch0(start + 64);
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        CheckToken(token);
        if (!ReferenceEquals(Seam.Read(in _continuation), s_resumed))
            return ValueTaskSourceStatus.Pending;
        return Reason == WakeReason.Cancelled ? ValueTaskSourceStatus.Canceled : ValueTaskSourceStatus.Succeeded;
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        CheckToken(token);
        SetContinuation(
            continuation,
            state,
            (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? SynchronizationContext.Current : null,
            (flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0 ? ExecutionContext.Capture() : null);
    }

    private void SetContinuation(Action<object?> continuation, object? state, SynchronizationContext? context, ExecutionContext? executionContext)
    {
        _state = state;
        bool isWorker = PoolWorker.Current is not null;
        if (isWorker || context is not null || executionContext is not null)
        {
            _hasDestination = true;
            (_destination ??= new Destination(this)).Set(context, executionContext, isWorker);
        }

        if (Seam.CompareExchange(ref _continuation, continuation, null) is not null)
        {
            _continuation = continuation; // Resume came first and left the scheduling to us
            Schedule();
        }
    }

    WaitResult IValueTaskSource<WaitResult>.GetResult(short token) => TakeResult(token);

    void IValueTaskSource.GetResult(short token) => TakeResult(token);

    private WaitResult TakeResult(short token)
    {
        CheckToken(token);
        if (Seam.Read(in _continuation) is null)
            throw new InvalidOperationException("The wait is not over: await it, do not block on it.");
        WakeReason reason = Reason;
        CancellationToken cancellationToken = default;
        TimeSpan remaining = default;
        if (IsTied)
        {
            cancellationToken = Ties!.CancellationToken;
            remaining = Ties.Deadline.Remaining;
        }

        IsClaimed = false;
        Return();
        return reason switch
        {
            WakeReason.Woken => WaitResult.Done(remaining),
            WakeReason.TimedOut => WaitResult.TimedOut,
            WakeReason.Cancelled => throw new OperationCanceledException(cancellationToken),
            _ => WaitResult.Interrupted,
        };
    }

    /// <summary>When the wait began and how long it may take: for what is left at its end.</summary>
    internal WaitDeadline Deadline
    {
        get => IsTied ? Ties!.Deadline : default;
        set => Tie().Deadline = value;
    }

    private void CheckToken(short token)
    {
        if (token != _version)
            throw new InvalidOperationException("The result of a wait can be taken once.");
    }

    private void ForgetContinuation()
    {
        _continuation = null;
        _state = null;
        if (!_hasDestination)
            return;
        _hasDestination = false;
        _destination!.Clear();
    }

    private void Schedule()
    {
        if (!_hasDestination)
            Seam.QueueToCaller(this);
        else if (_destination!.Context is WorkRun run)
            run.Post(_destination.OfRun(run)); // as Post of any context, without an allocation
        else if (_destination.Context is { } context)
            PostTo(context);
        else if (_destination.IsWorker)
            _destination.System!.QueueContinuation(_destination.OfRun(null));
        else
            Seam.QueueToCaller(this);
    }

    /// <summary>
    /// A context is the awaiting method's, and so is what its Post throws: who completes has nothing to do with it. The method goes on without its
    /// context then.
    /// </summary>
    private void PostTo(SynchronizationContext context)
    {
        try
        {
            context.Post(s_runPosted, this);
        }
        catch (Exception e)
        {
            _destination!.System!.Log($"{context.GetType()}.Post failed, what follows an await goes on on the thread pool: {e}");
            Seam.QueueToCaller(this);
        }
    }

    void IThreadPoolWorkItem.Execute() => Run();

    internal void Run()
    {
        if (_hasDestination && _destination!.ExecutionContext is { } executionContext)
            ExecutionContext.Run(executionContext, s_runInContext, this);
        else
            Invoke();
    }

    private void Invoke()
    {
        Action<object?> continuation = _continuation!;
        _continuation = s_resumed; // for GetResult: it is over
        continuation(_state);
    }

    /// <summary>Where the awaiting method is to go on, and, when that is on workers, what stands in their pool's list. Apart from the waiter for the same reason as <see cref="WaitTies"/>.</summary>
    private sealed class Destination(AsyncWaiter waiter) : DeferredItem(ItemKind.Continuation)
    {
        private WorkRun? _run; // while it stands in a list: a pooled waiter must keep no system alive

        internal override WorkRun? Run => _run;

        internal SynchronizationContext? Context { get; private set; }

        internal ExecutionContext? ExecutionContext { get; private set; }

        internal KworkerSystem? System { get; private set; }

        /// <summary>A worker awaits: without a context it goes on on the workers of <see cref="System"/>.</summary>
        internal bool IsWorker { get; private set; }

        internal bool IsThreadPool => Context is null && !IsWorker;

        internal void Set(SynchronizationContext? context, ExecutionContext? executionContext, bool isWorker)
        {
            Context = context;
            ExecutionContext = executionContext;
            IsWorker = isWorker;
            System = KworkerSystem.Current;
        }

        internal void Clear()
        {
            Context = null;
            ExecutionContext = null;
            System = null;
        }

        internal Destination OfRun(WorkRun? run)
        {
            _run = run;
            return this;
        }

        internal override void Execute()
        {
            _run = null;
            waiter.Run();
        }
    }

    /// <summary>Awaits <see cref="Resume"/>; on resumption the waiter is its owner's again, unclaimed.</summary>
    internal readonly struct SuspendAwaitable(AsyncWaiter waiter) : ICriticalNotifyCompletion
    {
        public SuspendAwaitable GetAwaiter() => this;

        /// <summary>Never: a condition is looked at again only after the context had a chance to run others.</summary>
        public bool IsCompleted => false;

        public void OnCompleted(Action continuation) =>
            waiter.SetContinuation(s_invokeAction, continuation, SynchronizationContext.Current, ExecutionContext.Capture());

        public void UnsafeOnCompleted(Action continuation) => waiter.SetContinuation(s_invokeAction, continuation, SynchronizationContext.Current, null);

        public void GetResult()
        {
            waiter.ForgetContinuation();
            waiter.IsClaimed = false;
        }
    }
}

/// <summary>The end of a wait with a timeout, to say what was left of it.</summary>
internal readonly struct WaitDeadline
{
    private readonly TimeProvider? _timeProvider;
    private readonly long _start;
    private readonly TimeSpan _timeout;

    internal WaitDeadline(TimeProvider timeProvider, TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
            return;
        _timeProvider = timeProvider;
        _start = ClockReading.Timestamp(timeProvider);
        _timeout = timeout;
    }

    internal TimeSpan Remaining
    {
        get
        {
            if (_timeProvider is null)
                return TimeSpan.Zero;
            TimeSpan left = _timeout - ClockReading.Since(_timeProvider, _start);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
