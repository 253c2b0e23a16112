using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>
/// Where one thread sleeps. A token, kept at most once: <see cref="Unpark"/> puts it, <see cref="Park()"/> takes it or sleeps until
/// it is there. So a wake-up that comes before the sleep is not lost. A park may also return early only because of an old token:
/// callers wait in a loop on what they wait for.
/// <para>
/// State word: <c>Empty</c> (the thread runs, no token) → <c>Parked</c> (by the thread, it will sleep) → <c>Token</c> (by a waker)
/// → <c>Empty</c> (by the thread); or <c>Empty</c> → <c>Token</c> → <c>Empty</c> when the waker came first. Wake-up argument: the
/// waker's swap to <c>Token</c> and the thread's step to <c>Parked</c> are atomic on one word, so either the thread sees the token
/// and does not sleep, or the waker sees <c>Parked</c> and wakes it; the operating system rechecks the word as it puts the thread to sleep.
/// </para>
/// </summary>
internal sealed unsafe partial class Parker
{
    private const int Empty = 0;
    private const int Token = 1;
    private const int Parked = -1;

    [ThreadStatic]
    private static Parker? t_current;

    /// <summary>The state word, on memory that does not move: the kernel compares it by address.</summary>
    private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);

    private TaskObserver? _observer;

    /// <summary>The calling thread's parker.</summary>
    internal static Parker Current => t_current ??= new Parker();

    /// <summary>For a thread about to be started: the parker that it will have.</summary>
    internal static Parker ForNewThread(TaskObserver? observer)
    {
        var parker = new Parker { _observer = observer };
        observer?.Woken(parker);
        return parker;
    }

    /// <summary>First thing on a new thread: makes this its parker.</summary>
    internal void Adopt()
    {
        t_current = this;
        _observer?.Resuming(this);
    }

    /// <summary>Last thing on a thread of ours.</summary>
    internal void Leave()
    {
        _observer?.Ended(this);
        _observer = null; // a late wake-up wakes nobody
    }

    /// <summary>Whether a test sees it park: then it must, and not look about first.</summary>
    internal bool IsObserved => _observer is not null;

    /// <summary>Sleeps until there is a token, and takes it. On the owning thread only.</summary>
    internal void Park() => Park(Timeout.Infinite);

    /// <summary>Sleeps until there is a token or the time is over; false when the time was over. On the owning thread only.</summary>
    /// <param name="milliseconds">Real time, or <see cref="Timeout.Infinite"/>.</param>
    internal bool Park(int milliseconds)
    {
        _observer?.Parking(this);
        bool woken = ParkCore(milliseconds);
        if (_observer is { } observer)
        {
            if (!woken)
                observer.Woken(this); // time woke it: nobody else said so
            observer.Resuming(this);
        }

        return woken;
    }

    /// <summary>
    /// Sleeps until there is a token, and takes it, or for about that long, to the microsecond: callers look at the clock and come again. On the owning thread only.
    /// </summary>
    internal void ParkAtMost(TimeSpan time)
    {
        _observer?.Parking(this);
        ref int word = ref _word[0];
        if (Interlocked.CompareExchange(ref word, Parked, Empty) == Empty)
            Sleep(time.Ticks * TimeSpan.NanosecondsPerTick);
        bool woken = Interlocked.Exchange(ref word, Empty) == Token;
        if (_observer is { } observer)
        {
            if (!woken)
                observer.Woken(this); // time woke it: nobody else said so
            observer.Resuming(this);
        }
    }

    /// <summary>Gives the token; wakes the thread if it sleeps. From any thread; with a token already there it does nothing.</summary>
    internal void Unpark()
    {
        // Said before the token is there: the woken thread may go on at once.
        if (_observer is { } observer && Volatile.Read(ref _word[0]) != Token)
            observer.Woken(this);
        if (Interlocked.Exchange(ref _word[0], Token) == Parked)
            Wake();
    }

    private bool ParkCore(int milliseconds)
    {
        ref int word = ref _word[0];
        if (Interlocked.CompareExchange(ref word, Empty, Token) == Token)
            return true;
        if (Interlocked.CompareExchange(ref word, Parked, Empty) == Token)
        {
            Volatile.Write(ref word, Empty);
            return true;
        }

        // Environment.TickCount64 would be cheaper, but it moves every four milliseconds only: one millisecond took up to five.
        long start = milliseconds < 0 ? 0 : Stopwatch.GetTimestamp();
        while (true)
        {
            long left = milliseconds < 0 ? -1 : Math.Max(0, (milliseconds * 1_000_000L) - (Stopwatch.GetElapsedTime(start).Ticks * TimeSpan.NanosecondsPerTick));
            if (left != 0)
                Sleep(left);
            if (Interlocked.CompareExchange(ref word, Empty, Token) == Token)
                return true;
            if (left == 0 && Interlocked.CompareExchange(ref word, Empty, Parked) == Parked)
                return false;
        }
    }

    /// <summary>Unless woken before: for so many nanoseconds, or without end when they are below zero.</summary>
    private void Sleep(long nanoseconds)
    {
        if (!s_hasFutex)
        {
            lock (_word)
            {
                if (Volatile.Read(ref _word[0]) == Parked)
                    Monitor.Wait(_word, nanoseconds < 0 ? Timeout.Infinite : (int)Math.Min(int.MaxValue, (nanoseconds + 999_999) / 1_000_000));
            }

            return;
        }

        fixed (int* address = _word)
        {
            var time = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
            _ = Futex(s_futexNumber, address, FutexWaitPrivate, Parked, nanoseconds < 0 ? null : &time, null, 0);
        }
    }

    private void Wake()
    {
        if (!s_hasFutex)
        {
            lock (_word)
                Monitor.Pulse(_word);
            return;
        }

        fixed (int* address = _word)
            _ = Futex(s_futexNumber, address, FutexWakePrivate, 1, null, null, 0);
    }

    private const int FutexWaitPrivate = 128;
    private const int FutexWakePrivate = 129;

    /// <summary>Where there is no futex to call (other systems, other processors), a monitor does.</summary>
    private static readonly bool s_hasFutex = OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    private static readonly nint s_futexNumber = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 202 : 98;

    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Futex(nint number, int* address, nint operation, nint value, TimeSpec* timeout, int* address2, nint value3);
}
