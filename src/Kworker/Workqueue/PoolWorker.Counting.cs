namespace Kworker;

/// <content>Whether it counts as running: what blocks does not, whether it says so or is found by the monitor.</content>
internal sealed partial class PoolWorker
{
    private const int Blocked = 1;
    private const int CpuIntensive = 2;
    private const int Detected = 4;
    private const int Rescuing = 8;

    private int _notRunning; // R: why it does not count as running, bits as above (WORKER_NOT_RUNNING); 0 when it does
    private int _blockingDepth; // its own thread's
    private string? _blockedAt; // see BlockedAt; its own thread's, read by the watchdog
    private int _begunAtLastLook; // the monitor's
    private bool _sleptAtLastLook; // at the item of that look; the monitor's

    /// <summary>R.</summary>
    internal bool CountsAsRunning => _notRunning == 0;

    /// <summary>R: the monitor has counted it out.</summary>
    internal bool IsDetected => (_notRunning & Detected) != 0;

    /// <summary>From any thread: it executes something, rather than looks for work or makes another worker.</summary>
    internal bool IsInside => Seam.Read(in _isInside) != 0;

    /// <summary>From any thread: its thread sleeps.</summary>
    internal bool IsAsleep => _probe!.IsAsleep;

    /// <summary>
    /// From any thread: the stack at which the function began to block; null while it does not, and where stacks are not recorded (<see cref="Listeners.Stacks"/>).
    /// </summary>
    internal string? BlockedAt => Volatile.Read(ref _blockedAt);

    /// <summary>The function is about to block: what has been taken ahead is for others, and another worker may run (<c>wq_worker_sleeping</c>).</summary>
    internal void BeginBlocking()
    {
        if (_blockingDepth++ != 0)
            return;
        if (Listeners.Stacks)
            Volatile.Write(ref _blockedAt, StackText.Capture());
        // Until the next item: what would stand behind this one might wait for long.
        _chained = null;
        _keepsContinuations = false;
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        ReturnWaiting(half: false);
        CountOut(Blocked);
        runLock.Exit();
    }

    /// <summary>The function runs again (<c>wq_worker_running</c>).</summary>
    internal void EndBlocking()
    {
        if (--_blockingDepth != 0)
            return;
        _blockedAt = null;
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        CountIn(Blocked | Detected);
        runLock.Exit();
    }

    /// <summary>By the monitor, at each look: notes whether it is still at what it was at before.</summary>
    internal void NoteLook()
    {
        int begun = Seam.Read(in _begun);
        Stands = begun == _begunAtLastLook && IsInside;
        _begunAtLastLook = begun;
        _sleptAtLastLook &= Stands;
    }

    /// <summary>The monitor's: at the last look it was at the same item as at the one before.</summary>
    internal bool Stands { get; private set; }

    /// <summary>
    /// By the monitor, without the lock: looks at its thread; true when it sleeps, and slept at the look before, too. Once is not enough: one that computes
    /// sleeps for a moment, too, such as when the garbage collector stops it.
    /// </summary>
    internal bool SleepsOn(out bool isAsleep)
    {
        isAsleep = IsAsleep;
        bool sleptBefore = _sleptAtLastLook;
        _sleptAtLastLook = isAsleep;
        return isAsleep && sleptBefore;
    }

    /// <summary>By the monitor, without the lock: it was found asleep. False when it has moved since.</summary>
    internal bool TryDetect()
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        bool stands = Seam.Read(in _begun) == _begunAtLastLook && CountsAsRunning && !IsIdle;
        if (stands)
        {
            ReturnWaiting(half: false);
            CountOut(Detected);
        }

        runLock.Exit();
        return stands;
    }

    /// <summary>By the monitor, without the lock: it runs after all.</summary>
    internal void Undetect()
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        if (!IsIdle)
            CountIn(Detected);
        runLock.Exit();
    }

    private void CountOut(int reason)
    {
        if (_notRunning == 0)
            _pool.CountRunning(-1);
        _notRunning |= reason;
    }

    private void CountIn(int reason)
    {
        if (_notRunning == 0)
            return;
        _notRunning &= ~reason;
        if (_notRunning == 0)
            _pool.CountRunning(1);
    }
}
