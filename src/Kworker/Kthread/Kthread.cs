using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Kworker;

/// <summary>
/// A thread that runs one function until it is told to stop (<c>kthread_run</c> and its family).
/// <para>
/// The function asks <see cref="ShouldStop"/> in its loop and sleeps in waits whose condition contains it: <see cref="Stop"/> makes every
/// wait of the thread look at its condition again. It returns a number, which <see cref="Stop"/> gives to who stopped it. An async function is
/// possible: what follows its awaits runs on the kthread's own thread.
/// </para>
/// <para>
/// Signals: <see cref="Signal"/> and <see cref="Kill"/> end those waits of the thread whose <see cref="WaitMode"/> admits them, now or
/// when they begin; they stay pending until <see cref="FlushSignals"/>. All members are safe to call from any thread.
/// </para>
/// </summary>
[DebuggerDisplay("{Name,nq}: {DebuggerDisplay,nq}")]
public sealed partial class Kthread
{
    private const int SignalOrdinary = 1;
    private const int SignalFatal = 2;

    private const int ShouldStopBit = 1;
    private const int ShouldParkBit = 2;
    private const int IsParkedBit = 4;

    [ThreadStatic]
    private static Kthread? t_current;

    private readonly Func<int> _main;
    private readonly WaitQueue _parkers = new(); // who waits for it to park
    private readonly Completion _exited = new(); // completed for good, after _result and _exception are written
    private readonly WaitQueue _unpark = new();

    private Spinlock _lock;
    private LinkedStack<Waiter, WaitTies.OfTask> _waiters; // the waits that it is in; under _lock
    private bool _isStarted; // its thread has been made, or never will be; false → true under _lock

    /// <summary>Pending signals. Bits are set under <c>_lock</c>, cleared by the thread itself; read by anybody.</summary>
    private int _signals;

    /// <summary><c>ShouldStop</c>: set once, never cleared. <c>ShouldPark</c>: set by Park unless ShouldStop is, cleared by Unpark and Stop. <c>IsParked</c>: by the thread itself.</summary>
    private int _flags;

    private int _result; // written before _exited is completed
    private ExceptionDispatchInfo? _exception; // likewise

    internal Kthread(Func<int> main, string name, KworkerSystem? system)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        System = system ?? KworkerSystem.Current;
        _main = main;
    }

    /// <summary>Its name, also the thread's: <c>ps -L</c> shows the first 15 bytes.</summary>
    public string Name { get; }

    /// <summary>The kthread that the caller runs on, or null.</summary>
    public static Kthread? Current => t_current;

    /// <summary>Whether somebody asked the calling kthread to stop (<c>kthread_should_stop</c>); false on any other thread.</summary>
    public static bool ShouldStop => t_current is { } current && (Seam.Read(in current._flags) & ShouldStopBit) != 0;

    /// <summary>Whether somebody asked the calling kthread to park (<c>kthread_should_park</c>); false on any other thread.</summary>
    public static bool ShouldPark => t_current is { IsAskedToPark: true };

    /// <summary>Whether a signal is pending for the calling kthread (<c>signal_pending</c>); false on any other thread.</summary>
    public static bool SignalPending => t_current is { } current && Seam.Read(in current._signals) != 0;

    /// <summary>Whether its function has returned, thrown, or will never run.</summary>
    public bool HasExited => _exited.IsDone;

    internal KworkerSystem System { get; }

    /// <summary>The worker whose thread it is; null for all others. Written before it starts.</summary>
    internal KthreadWorker? Worker { get; init; }

    /// <summary>What it sleeps on when it has nothing to do: such a wait is as long as it likes. Written before it starts.</summary>
    internal IWaitObject? Idles { get; init; }

    /// <summary>The operating system's number of its thread. Written by the thread when it starts.</summary>
    internal int ThreadId { get; private set; }

    /// <summary>Makes a thread and starts it (<c>kthread_run</c>).</summary>
    /// <param name="function">Its body; what it returns is what <see cref="Stop"/> returns.</param>
    /// <param name="data">Given to the body.</param>
    /// <param name="name">Its name.</param>
    /// <param name="system">Whose clock its timeouts follow; the current one unless given.</param>
    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    [OverloadResolutionPriority(1)] // for a body that only throws
    public static Kthread Run<T>(Func<T, int> function, T data, string name, KworkerSystem? system = null)
    {
        Kthread kthread = Create(function, data, name, system);
        kthread.Start();
        return kthread;
    }

    /// <summary>Makes a thread with an async body and starts it: what follows its awaits runs on the thread itself.</summary>
    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    public static Kthread Run<T>(Func<T, ValueTask<int>> function, T data, string name, KworkerSystem? system = null)
    {
        Kthread kthread = Create(function, data, name, system);
        kthread.Start();
        return kthread;
    }

    /// <summary>Makes a thread that sleeps until <see cref="Start"/> (<c>kthread_create</c>).</summary>
    [OverloadResolutionPriority(1)] // for a body that only throws
    public static Kthread Create<T>(Func<T, int> function, T data, string name, KworkerSystem? system = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new Kthread(() => function(data), name, system);
    }

    /// <summary>Makes a thread with an async body that sleeps until <see cref="Start"/>.</summary>
    public static Kthread Create<T>(Func<T, ValueTask<int>> function, T data, string name, KworkerSystem? system = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new Kthread(() => KthreadContext.Run(() => function(data)), name, system);
    }

    /// <summary>Starts it, or, when it has started, the same as <see cref="WakeUp"/> (<c>wake_up_process</c>).</summary>
    /// <exception cref="OutOfMemoryException">The system has no thread to give; it has not started, and may be tried again.</exception>
    public void Start()
    {
        if (!EnsureThread())
            WakeUp();
    }

    /// <summary>
    /// Makes each wait that the thread is in look at its condition again (<c>wake_up_process</c>). A parked thread stays parked, a
    /// completion stays waited for.
    /// </summary>
    public void WakeUp()
    {
        var woken = new WakeList();
        _lock.Enter();
        for (Waiter? waiter = _waiters.First; waiter is not null; waiter = LinkedStack<Waiter, WaitTies.OfTask>.After(waiter))
        {
            if (waiter.Ties!.Object!.TryClaim(waiter, WakeReason.Process))
                woken.Add(waiter);
        }

        _lock.Exit();
        woken.ResumeAll();
    }

    /// <summary>
    /// Asks the thread to stop, waits until it has, and returns what its function returned (<c>kthread_stop</c>); <c>-EINTR</c> when it
    /// never ran. A parked thread is unparked first. May be called again, and after the function has returned: the result is the same.
    /// </summary>
    /// <exception cref="Exception">What left the function as an exception is thrown here, as it was.</exception>
    /// <exception cref="DeadlockException">
    /// It is the caller itself, or waits for the caller: it would never end. It has not been asked to stop.
    /// </exception>
    public int Stop()
    {
        WaitGraph.Wait? wait = WaitGraph.Begin(new KthreadExitTarget(this));
        try
        {
            RequestStop();
            _exited.Wait();
        }
        finally
        {
            WaitGraph.End(wait);
        }

        return Result();
    }

    /// <inheritdoc cref="Stop"/>
    public async ValueTask<int> StopAsync()
    {
        WaitGraph.Wait? wait = WaitGraph.BeginAsync(new KthreadExitTarget(this));
        try
        {
            RequestStop();
            await _exited.WaitAsync();
        }
        finally
        {
            WaitGraph.End(wait);
        }

        return Result();
    }

    /// <summary>
    /// Asks the thread to park and waits until it has (<c>kthread_park</c>). A thread that was not started parks without entering its
    /// function. Called by the thread itself it returns at once; the thread parks in its next <see cref="ParkMe"/>.
    /// </summary>
    /// <returns>0; <c>-EBUSY</c> when it was asked already; <c>-ENOSYS</c> when it has ended (also while we waited), or has been asked to stop.</returns>
    public int Park()
    {
        int refused = RequestPark();
        if (refused != 0 || ReferenceEquals(this, t_current))
            return refused;
        _parkers.WaitEvent(this, static self => self.IsParkDecided, Timeout.InfiniteTimeSpan);
        return HasExited ? -Errno.ENOSYS : 0;
    }

    /// <inheritdoc cref="Park"/>
    public async ValueTask<int> ParkAsync()
    {
        int refused = RequestPark();
        if (refused != 0 || ReferenceEquals(this, t_current))
            return refused;
        await _parkers.WaitEventAsync(this, static self => self.IsParkDecided, Timeout.InfiniteTimeSpan);
        return HasExited ? -Errno.ENOSYS : 0;
    }

    /// <summary>Lets a parked thread go on (<c>kthread_unpark</c>); nothing when it was not asked to park.</summary>
    public void Unpark()
    {
        if ((Seam.And(ref _flags, ~ShouldParkBit) & ShouldParkBit) != 0)
        {
            _unpark.WakeUpAll();
            _parkers.WakeUpAll();
        }
    }

    /// <summary>
    /// On a kthread: sleeps while it is asked to park (<c>kthread_parkme</c>); returns at once when it is not. Call it where parking is safe.
    /// </summary>
    /// <exception cref="InvalidOperationException">The caller is no kthread.</exception>
    public static void ParkMe()
    {
        Kthread self = Parking();
        while (self.TryPark())
        {
            self._unpark.WaitEvent(self, static self => !self.IsAskedToPark, Timeout.InfiniteTimeSpan);
            Seam.And(ref self._flags, ~IsParkedBit);
        }
    }

    /// <summary>As <see cref="ParkMe"/>, for an async body: other methods that it has under way go on meanwhile.</summary>
    /// <exception cref="InvalidOperationException">The caller is no kthread.</exception>
    public static async ValueTask ParkMeAsync()
    {
        Kthread self = Parking();
        while (self.TryPark())
        {
            await self._unpark.WaitEventAsync(self, static self => !self.IsAskedToPark, Timeout.InfiniteTimeSpan);
            Seam.And(ref self._flags, ~IsParkedBit);
        }
    }

    private static Kthread Parking() => t_current ?? throw new InvalidOperationException("Only a kthread can park.");

    private bool IsAskedToPark => (Seam.Read(in _flags) & ShouldParkBit) != 0;

    /// <summary>
    /// Says that it is parked, if it is asked to. IsParked is cleared before ShouldPark is read again, and who parks sets ShouldPark before it reads
    /// IsParked: so one who parks us again while we leave either waits for us to say so anew, or we see the request and stay.
    /// </summary>
    private bool TryPark()
    {
        if (!IsAskedToPark)
            return false;
        Seam.Or(ref _flags, IsParkedBit);
        _parkers.WakeUpAll();
        return true;
    }

    /// <summary>Sends an ordinary signal: ends waits of mode <see cref="WaitMode.Interruptible"/>.</summary>
    public void Signal() => Send(SignalOrdinary);

    /// <summary>Sends a fatal signal: ends waits of mode <see cref="WaitMode.Interruptible"/> and <see cref="WaitMode.Killable"/>.</summary>
    public void Kill() => Send(SignalFatal);

    /// <summary>Forgets the signals pending for the calling kthread (<c>flush_signals</c>); nothing on any other thread.</summary>
    public static void FlushSignals()
    {
        if (t_current is { } current)
            Seam.And(ref current._signals, 0);
    }

    internal bool HasSignalFor(WaitMode mode) => mode switch
    {
        WaitMode.Interruptible => Seam.Read(in _signals) != 0,
        WaitMode.Killable => (Seam.Read(in _signals) & SignalFatal) != 0,
        _ => false,
    };

    internal void AddWaiter(Waiter waiter)
    {
        _lock.Enter();
        _waiters.Add(waiter);
        _lock.Exit();
    }

    /// <summary>From here no signal reaches the waiter: Signal looks at the list under the lock.</summary>
    internal void RemoveWaiter(Waiter waiter)
    {
        _lock.Enter();
        _waiters.Remove(waiter);
        _lock.Exit();
    }

    /// <summary>
    /// The signal is pending before the list is looked at, and a waiter is in the list before it looks for signals: one of the two sees the other.
    /// Lock order: the kthread's, then that of what is waited for.
    /// </summary>
    private void Send(int signal)
    {
        var woken = new WakeList();
        _lock.Enter();
        Seam.Or(ref _signals, signal);
        for (Waiter? waiter = _waiters.First; waiter is not null; waiter = LinkedStack<Waiter, WaitTies.OfTask>.After(waiter))
        {
            bool admits = waiter.Mode == WaitMode.Interruptible || (waiter.Mode == WaitMode.Killable && signal == SignalFatal);
            if (admits && waiter.Ties!.Object!.TryClaim(waiter, WakeReason.Signalled))
                woken.Add(waiter);
        }

        _lock.Exit();
        woken.ResumeAll();
    }

    private void RequestStop()
    {
        if (Listeners.Kthread)
            TracePoints.KthreadStopping(this);
        Seam.Or(ref _flags, ShouldStopBit);
        _lock.Enter();
        bool neverRan = !_isStarted;
        _isStarted = true;
        _lock.Exit();
        if (neverRan)
        {
            Exit(-Errno.EINTR, exception: null);
            return;
        }

        Unpark();
        WakeUp();
    }

    private int RequestPark()
    {
        if (HasExited)
            return -Errno.ENOSYS;
        int flags = Seam.Read(in _flags);
        while (true)
        {
            // It is about to end. Did it look whether it should stop just before it was asked to, it would park, and who stops it wait for ever.
            if ((flags & ShouldStopBit) != 0)
                return -Errno.ENOSYS;
            if ((flags & ShouldParkBit) != 0)
                return -Errno.EBUSY;
            int seen = Seam.CompareExchange(ref _flags, flags | ShouldParkBit, flags);
            if (seen == flags)
                break;
            flags = seen;
        }

        try
        {
            if (!EnsureThread())
                WakeUp();
            return 0;
        }
        catch
        {
            Unpark();
            throw;
        }
    }

    /// <summary>It has parked, or never will: it has ended, or somebody unparked it before it could.</summary>
    private bool IsParkDecided => (Seam.Read(in _flags) & (IsParkedBit | ShouldParkBit)) != ShouldParkBit || HasExited;

    private int Result()
    {
        _exception?.Throw();
        return _result;
    }

    /// <summary>True when this call made the thread.</summary>
    private bool EnsureThread()
    {
        _lock.Enter();
        bool make = !_isStarted;
        _isStarted = true;
        _lock.Exit();
        if (!make)
            return false;
        try
        {
            Parker parker = Parker.ForNewThread(System.Observer);
            var thread = new Thread(static state => Main(((Kthread, Parker))state!)) { IsBackground = true, Name = Name };
            Seam.Start(thread, (this, parker));
            return true;
        }
        catch
        {
            // Who stops it meanwhile waits for a thread that will not be: then it never ran.
            _lock.Enter();
            bool stopped = (Seam.Read(in _flags) & ShouldStopBit) != 0;
            _isStarted = stopped;
            _lock.Exit();
            if (stopped)
                Exit(-Errno.EINTR, exception: null);
            throw;
        }
    }

    private static void Main((Kthread Self, Parker Parker) start)
    {
        Kthread self = start.Self;
        t_current = self;
        KworkerSystem.Enter(self.System);
        start.Parker.Adopt();
        self.ThreadId = OsThread.CurrentId;
        self.System.Registry.Add(self);
        self.System.Watchdog.Start();
        if (Listeners.Kthread)
            TracePoints.KthreadStarted(self);
        int result = -Errno.EINTR;
        ExceptionDispatchInfo? exception = null;
        try
        {
            if (!ShouldStop)
            {
                ParkMe();
                result = self._main();
            }
        }
        catch (Exception e)
        {
            exception = ExceptionDispatchInfo.Capture(e); // thrown by Stop
            self.Report(e);
        }

        self.Exit(result, exception);
        start.Parker.Leave();
    }

    private void Exit(int result, ExceptionDispatchInfo? exception)
    {
        System.Registry.Remove(this);
        if (Listeners.Kthread)
            TracePoints.KthreadEnded(this, result);
        _result = result;
        _exception = exception;
        _exited.CompleteAll();
        _parkers.WakeUpAll(); // who waits for it to park learns that it never will
    }

    /// <summary>
    /// Counts and traces what left the function. Where nobody has asked the thread to stop, it may be long until somebody does, or nobody may: then the log has it at
    /// once. Else who stops it waits for it, and has it.
    /// </summary>
    private void Report(Exception exception)
    {
        System.Counters.AddKthreadException();
        TracePoints.KthreadFailed(this, exception);
        if ((Seam.Read(in _flags) & ShouldStopBit) == 0)
            System.Log($"kthread {Name}: its function failed, as Stop will say, too: {exception}");
    }

    private string DebuggerDisplay =>
        HasExited ? "exited" : !_isStarted ? "not started" : (Seam.Read(in _flags) & IsParkedBit) != 0 ? "parked" : "started";
}
