using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Waits for all helpers of a system on one thread: an epoll set over a pidfd each, and over our ends of their pipes.</summary>
/// <remarks>
/// <para>
/// It reaps the children that were given to it and no others, by waitid on each one's own pidfd, so it gets along with
/// <see cref="System.Diagnostics.Process"/> and with native code that does the same. A child that ended before it was registered
/// costs nothing: its pidfd is readable at once.
/// </para>
/// <para>
/// A child for which there is no pidfd (no descriptors left, a kernel before 5.3, a sandbox that forbids the call) is not lost: it
/// is asked for every few milliseconds, and given its pidfd as soon as one can be had. So is whatever the epoll set has no room for.
/// </para>
/// <para>
/// A descriptor is closed by the reaper's thread alone. So one that is watched stands for the same thing until then; an event that
/// was fetched before, and comes to whatever has got the number since, does no harm: nothing here waits.
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
    private const int BufferSize = 65536;

    /// <summary>struct epoll_event is packed on x86 alone: events, then 64 bits of ours.</summary>
    private static readonly int s_eventDataOffset =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;

    private static readonly int s_eventSize = s_eventDataOffset + 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, HelperSource> _watched = []; // L: by descriptor; only R removes
    private readonly List<HelperSource> _polled = []; // L: likewise
    private readonly List<HelperSource> _toPoll = []; // R: copy of _polled for one round
    private readonly HashSet<int> _waitedFor = []; // L: process ids of children that their callers wait for themselves
    private byte[] _buffer = []; // R
    private int _children; // L: those watched and polled
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
                return _children + _waitedFor.Count;
        }
    }

    /// <summary>The process ids of the children not reaped yet.</summary>
    internal int[] ProcessIds
    {
        get
        {
            lock (_lock)
                return [.. _watched.Values.Concat(_polled).OfType<HelperChild>().Select(child => child.Pid), .. _waitedFor];
        }
    }

    /// <summary>For what is read from pipes, of all helpers. On the reaper's thread.</summary>
    internal byte[] Buffer => _buffer.Length > 0 ? _buffer : _buffer = new byte[BufferSize];

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
        if (!reaper.Watch(wake, HelperLibC.EpollIn))
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
    /// <param name="pipes">Our ends of its pipes, which are the reaper's from here on.</param>
    internal void Register(int pid, Action<int>? ended, HelperPipes? pipes = null) => Register(new HelperChild(pid, _openPidFd(pid), pipes, ended), pipes);

    /// <summary>
    /// The announced spawn gave this child; waits for it here and now, for a short while: the caller would sleep anyway, and being woken by the child itself
    /// saves a wake-up by the reaper. True with its wait status; false where it runs on, and the reaper has it.
    /// </summary>
    internal bool WaitOrRegister(int pid, int milliseconds, Action<int>? ended, out int status)
    {
        int pidFd = _openPidFd(pid);
        if (pidFd >= 0)
        {
            lock (_lock)
                _waitedFor.Add(pid);
            bool over = HelperChildStatus.Wait(pid, pidFd, milliseconds, out status);
            lock (_lock)
            {
                _waitedFor.Remove(pid);
                if (over)
                    _reserved--;
                if (over && _stopping)
                    Wake();
            }
            if (over)
            {
                HelperLibC.Close(pidFd);
                return true;
            }
        }
        status = 0;
        Register(new HelperChild(pid, pidFd, null, ended), null);
        return false;
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
                    AdvanceWatched(descriptor);
            }
            AdvancePolled();
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
            if (!_stopping || _reserved + _children > 0)
                return false;
            _ended = true;
            return true;
        }
    }

    /// <summary>All in one step: a child that ends at once finds its pipes here.</summary>
    private void Register(HelperChild child, HelperPipes? pipes)
    {
        lock (_lock)
        {
            _reserved--;
            _children++;
            if (pipes is not null)
            {
                foreach (HelperSource pipe in pipes.Sources)
                    Add(pipe);
            }
            Add(child);
        }
    }

    private void Add(HelperSource source)
    {
        // In the table before it is in the set: its event may come at once.
        if (source.Descriptor >= 0)
        {
            _watched.Add(source.Descriptor, source);
            if (Watch(source.Descriptor, source.Events))
                return;
            _watched.Remove(source.Descriptor);
        }
        source.IsPolled = true;
        _polled.Add(source);
        Wake();
    }

    /// <summary>The source is over: closes its descriptor. On the reaper's thread.</summary>
    internal void Remove(HelperSource source)
    {
        lock (_lock)
        {
            if (source.IsPolled)
                _polled.Remove(source);
            else
                _watched.Remove(source.Descriptor);
            source.IsPolled = false;
            if (source is HelperChild)
                _children--;
        }
        if (source.Descriptor < 0)
            return;

        // Out of the set by name: a fork of the runtime may hold a copy of the descriptor for a moment, and would keep its entry alive.
        HelperLibC.EpollControl(_epoll, HelperLibC.EpollDelete, source.Descriptor, null);
        HelperLibC.Close(source.Descriptor);
        source.Descriptor = -1;
    }

    private void AdvanceWatched(int descriptor)
    {
        HelperSource? source;
        lock (_lock)
            _watched.TryGetValue(descriptor, out source);

        // None where what ended before it in this round took it along. An event that was in vain costs nothing, and comes again.
        source?.Advance(this);
    }

    private void AdvancePolled()
    {
        lock (_lock)
            _toPoll.AddRange(_polled);
        foreach (HelperSource source in _toPoll)
        {
            // A pipe goes with its child, and both may be in the same round. R alone takes off the list.
            if (source.IsPolled)
                source.Advance(this);
            if (source.IsPolled)
                TryWatchAgain(source);
        }
        _toPoll.Clear();
    }

    private void TryWatchAgain(HelperSource source)
    {
        if (source.Descriptor < 0 && source is HelperChild child)
            child.Descriptor = _openPidFd(child.Pid);
        if (source.Descriptor < 0)
            return;
        lock (_lock)
        {
            if (!Watch(source.Descriptor, source.Events))
                return;
            _watched.Add(source.Descriptor, source);
            _polled.Remove(source);
            source.IsPolled = false;
        }
    }

    private bool Watch(int descriptor, uint events)
    {
        byte* registration = stackalloc byte[16];
        *(uint*)registration = events;
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
}
