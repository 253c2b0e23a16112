using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Waits for all helpers of a system on one thread: an epoll set over a pidfd each.</summary>
/// <remarks>
/// <para>
/// It reaps the children that were given to it and no others, by waitid on each one's own pidfd, so it gets along with
/// <see cref="System.Diagnostics.Process"/> and with native code that does the same. A child that ended before it was registered
/// costs nothing: its pidfd is readable at once.
/// </para>
/// <para>
/// A child for which there is no pidfd (no descriptors left, a kernel before 5.3, a sandbox that forbids the call) is not lost: it
/// is asked for every few milliseconds, and given its pidfd as soon as one can be had.
/// </para>
/// <para>
/// Locking: L = under <see cref="_lock"/>; R = the reaper's thread alone; I = set once, before the thread starts.
/// Never sleeps under the lock.
/// </para>
/// </remarks>
[DebuggerDisplay("{Name}: {Count} helpers")]
internal sealed unsafe class HelperReaper
{
    internal const string Name = "umh-reaper";

    private const int MaxEvents = 64;
    private const int PollMilliseconds = 10;

    /// <summary>struct epoll_event is packed on x86 alone: events, then 64 bits of ours.</summary>
    private static readonly int s_eventDataOffset =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;

    private static readonly int s_eventSize = s_eventDataOffset + 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Child> _watched = []; // L: by pidfd; only R removes and closes
    private readonly List<Child> _polled = []; // L
    private readonly List<Child> _toPoll = []; // R: copy of _polled for one round
    private readonly int _epoll; // I
    private readonly int _wake; // I: an eventfd in the epoll set
    private readonly Func<int, int> _openPidFd; // I: tests make it fail
    private int _reserved; // L: spawns under way
    private bool _stopping; // L
    private bool _ended; // L: the descriptors are closed, or about to be

    private HelperReaper(int epoll, int wake, Func<int, int> openPidFd)
    {
        _openPidFd = openPidFd;
        _epoll = epoll;
        _wake = wake;
    }

    /// <summary>Children not reaped yet.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
                return _watched.Count + _polled.Count;
        }
    }

    /// <summary>The process ids of the children not reaped yet.</summary>
    internal int[] ProcessIds
    {
        get
        {
            lock (_lock)
                return [.. _watched.Values.Concat(_polled).Select(child => child.Pid)];
        }
    }

    /// <summary>Opens what it needs. Null and an errno where the system has no descriptors left.</summary>
    internal static HelperReaper? TryCreate(out int error, Func<int, int>? openPidFd = null)
    {
        error = 0;
        int epoll = HelperLibC.EpollCreate(HelperLibC.EpollCloseOnExec);
        if (epoll < 0)
        {
            error = Marshal.GetLastPInvokeError();
            return null;
        }
        int wake = HelperLibC.EventFd(0, HelperLibC.EventCloseOnExec | HelperLibC.EventNonBlocking);
        if (wake < 0)
        {
            error = Marshal.GetLastPInvokeError();
            HelperLibC.Close(epoll);
            return null;
        }
        var reaper = new HelperReaper(epoll, wake, openPidFd ?? HelperLibC.PidFdOpen);
        if (!reaper.Watch(wake))
        {
            error = Marshal.GetLastPInvokeError();
            HelperLibC.Close(wake);
            HelperLibC.Close(epoll);
            return null;
        }
        KeepChildStatus();
        return reaper;
    }

    /// <summary>Announces a spawn, so that the reaper does not end before the child is there. False after <see cref="Stop"/>.</summary>
    internal bool TryReserve()
    {
        lock (_lock)
        {
            if (_stopping)
                return false;
            _reserved++;
            return true;
        }
    }

    /// <summary>The announced spawn failed.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            _reserved--;
            if (_stopping)
                Wake();
        }
    }

    /// <summary>The announced spawn gave this child.</summary>
    /// <param name="pid">The process id.</param>
    /// <param name="ended">Called once on the reaper's thread, must not block: the wait status, or -ECHILD where it was lost.</param>
    internal void Register(int pid, Action<int>? ended)
    {
        int pidFd = _openPidFd(pid);
        var child = new Child(pid, pidFd, ended);
        lock (_lock)
        {
            _reserved--;
            if (pidFd >= 0)
            {
                // In the table before it is in the set: its event may come at once.
                _watched.Add(pidFd, child);
                if (Watch(pidFd))
                    return;
                _watched.Remove(pidFd);
            }
            _polled.Add(child);
            Wake();
        }
    }

    /// <summary>Takes no more children; the thread ends when the last one has.</summary>
    internal void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
            Wake();
        }
    }

    /// <summary>The body of the reaper's thread.</summary>
    internal void Run()
    {
        byte* events = stackalloc byte[MaxEvents * 16];
        while (!TryEnd(out int timeout))
        {
            int count = HelperLibC.EpollWait(_epoll, events, MaxEvents, timeout);
            for (int i = 0; i < count; i++)
            {
                int descriptor = (int)*(long*)(events + i * s_eventSize + s_eventDataOffset);
                if (descriptor == _wake)
                    DrainWake();
                else
                    ReapWatched(descriptor);
            }
            ReapPolled();
        }
        HelperLibC.Close(_wake);
        HelperLibC.Close(_epoll);
    }

    /// <summary>
    /// With SIGCHLD ignored (inherited from whoever started us) the kernel throws statuses away. Its own helper threads put the
    /// signal back to its default for the same reason. Where the runtime or anybody else catches it, nothing is touched.
    /// </summary>
    private static void KeepChildStatus()
    {
        const nint Default = 0;
        const nint Ignore = 1;
        nint* action = stackalloc nint[64];
        if (HelperLibC.SignalAction(HelperLibC.SigChld, null, action) == 0 && action[0] == Ignore)
            HelperLibC.Signal(HelperLibC.SigChld, Default);
    }

    private bool TryEnd(out int timeout)
    {
        lock (_lock)
        {
            timeout = _polled.Count > 0 ? PollMilliseconds : -1;
            if (!_stopping || _reserved + _watched.Count + _polled.Count > 0)
                return false;
            _ended = true;
            return true;
        }
    }

    private void ReapWatched(int pidFd)
    {
        Child? child;
        lock (_lock)
            _watched.TryGetValue(pidFd, out child);

        // A readable pidfd has a status; but an event costs nothing and comes again while there is none.
        if (child is null || !HelperChildStatus.TryReap(child.Pid, pidFd, out int status))
            return;
        lock (_lock)
            _watched.Remove(pidFd);

        // Out of the set by name: a fork of the runtime may hold a copy of the pidfd for a moment, and would keep its entry alive.
        HelperLibC.EpollControl(_epoll, HelperLibC.EpollDelete, pidFd, null);
        HelperLibC.Close(pidFd);
        child.Ended?.Invoke(status);
    }

    private void ReapPolled()
    {
        lock (_lock)
            _toPoll.AddRange(_polled);
        foreach (Child child in _toPoll)
        {
            if (HelperChildStatus.TryReap(child.Pid, child.PidFd, out int status))
            {
                lock (_lock)
                    _polled.Remove(child);
                if (child.PidFd >= 0)
                    HelperLibC.Close(child.PidFd);
                child.Ended?.Invoke(status);
            }
            else
            {
                TryWatchAgain(child);
            }
        }
        _toPoll.Clear();
    }

    private void TryWatchAgain(Child child)
    {
        if (child.PidFd < 0)
            child.PidFd = _openPidFd(child.Pid);
        if (child.PidFd < 0)
            return;
        lock (_lock)
        {
            if (!Watch(child.PidFd))
                return;
            _watched.Add(child.PidFd, child);
            _polled.Remove(child);
        }
    }

    private bool Watch(int descriptor)
    {
        byte* registration = stackalloc byte[16];
        *(uint*)registration = HelperLibC.EpollIn;
        *(long*)(registration + s_eventDataOffset) = descriptor;
        return HelperLibC.EpollControl(_epoll, HelperLibC.EpollAdd, descriptor, registration) == 0;
    }

    /// <summary>Called under the lock, so that the descriptor is not closed under it.</summary>
    private void Wake()
    {
        if (_ended)
            return;
        ulong one = 1;

        // Fails only when the counter is at its limit, and then it wakes anyway.
        HelperLibC.Write(_wake, &one, sizeof(ulong));
    }

    private void DrainWake()
    {
        ulong count;
        HelperLibC.Read(_wake, &count, sizeof(ulong));
    }

    private sealed class Child(int pid, int pidFd, Action<int>? ended)
    {
        internal int Pid { get; } = pid;

        /// <summary>-1 while there is none. Only the reaper's thread changes it.</summary>
        internal int PidFd { get; set; } = pidFd;

        internal Action<int>? Ended { get; } = ended;
    }
}
