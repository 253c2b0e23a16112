using System.Diagnostics;

namespace Kworker;

/// <summary>The helpers of one system: whether they may run, how many callers are inside a call, and the launcher.</summary>
/// <remarks>
/// Disabling and entering are Dekker's pair, as in the kernel: a caller counts itself and then looks at the flag, who disables sets the
/// flag and then looks at the count. Either the caller sees the flag, or its count is waited for.
/// </remarks>
[DebuggerDisplay("{_disabled ? \"disabled\" : \"enabled\",nq}, {_inside} inside, {Running} running")]
internal sealed class HelperGate
{
    /// <summary>RUNNING_HELPERS_TIMEOUT of the kernel.</summary>
    private static readonly TimeSpan s_disableTimeout = TimeSpan.FromSeconds(5);

    private static readonly Func<HelperGate, bool> s_isIdle = static gate => Volatile.Read(ref gate._inside) == 0;

    private readonly WaitQueue _noneInside = new();
    private int _inside; // interlocked
    private volatile bool _disabled;

    /// <summary>Programs that have not ended.</summary>
    internal int Running => Launcher.Count;

    /// <summary>Their process ids, where the platform tells.</summary>
    internal int[] ProcessIds => (Launcher as LinuxHelperLauncher)?.ProcessIds ?? [];

    internal HelperLauncher Launcher { get; } = HelperLauncher.Create();

    /// <summary>Counts the caller in, allowed or not: <see cref="Leave"/> follows in either case. False while disabled.</summary>
    internal bool Enter()
    {
        Interlocked.Increment(ref _inside); // a full fence, see above
        return !_disabled;
    }

    internal void Leave()
    {
        if (Interlocked.Decrement(ref _inside) == 0)
            _noneInside.WakeUp();
    }

    /// <summary>Who waits until nobody is inside. For tests.</summary>
    internal bool IsWaitedFor => _noneInside.IsActive;

    internal bool IsDisabled => _disabled;

    internal int Disable(CancellationToken cancellationToken)
    {
        Close();
        bool idle = false;
        try
        {
            idle = _noneInside.WaitEvent(this, s_isIdle, s_disableTimeout, cancellationToken: cancellationToken);
            return idle ? 0 : -Errno.EAGAIN;
        }
        finally
        {
            if (!idle)
                Enable();
        }
    }

    internal async ValueTask<int> DisableAsync(CancellationToken cancellationToken)
    {
        Close();
        bool idle = false;
        try
        {
            idle = await _noneInside.WaitEventAsync(this, s_isIdle, s_disableTimeout, cancellationToken: cancellationToken);
            return idle ? 0 : -Errno.EAGAIN;
        }
        finally
        {
            if (!idle)
                Enable();
        }
    }

    internal void Enable() => _disabled = false;

    /// <summary>The system ends: refuses callers for good and waits until those inside have left, however long their helpers take.</summary>
    internal void Drain()
    {
        Close();
        _noneInside.WaitEvent(this, s_isIdle, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc cref="Drain"/>
    internal async ValueTask DrainAsync(CancellationToken cancellationToken = default)
    {
        Close();
        await _noneInside.WaitEventAsync(this, s_isIdle, Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken);
    }

    /// <summary>The last step of the system's end, when its queues are drained and what they were to start is started.</summary>
    internal void Stop() => Launcher.Stop();

    private void Close()
    {
        _disabled = true;
        Interlocked.MemoryBarrier();
    }
}
