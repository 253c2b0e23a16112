using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Kworker;

/// <summary>
/// The seam for schedules: every interlocked operation, fence, spin and thread start of the concurrent cores goes through this type, and
/// every sleep through <see cref="Parker"/>. In the product each member is the one operation that it names. The systematic tests compile the same
/// sources with a <c>Seam</c> and a <c>Parker</c> of their own, whose members hand control to a scheduler that then decides which
/// thread goes on: so the public types themselves run through thousands of interleavings, and the product pays nothing.
/// </summary>
internal static class Seam
{
    /// <summary>How many of the async methods that one call wakes a thread takes for its own (<see cref="ResumeRun"/>).</summary>
    internal const int MostInResumeBlock = 64;

    /// <summary>Atomic compare-and-swap, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int CompareExchange(ref int location, int value, int comparand) =>
        Interlocked.CompareExchange(ref location, value, comparand);

    /// <summary>Atomic swap; returns the value before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Exchange(ref int location, int value) => Interlocked.Exchange(ref location, value);

    /// <summary>Atomic compare-and-swap of a reference, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T CompareExchange<T>(ref T location, T value, T comparand)
        where T : class? =>
        Interlocked.CompareExchange(ref location, value, comparand);

    /// <summary>Atomic or; returns the value before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Or(ref int location, int bits) => Interlocked.Or(ref location, bits);

    /// <summary>Atomic and; returns the value before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int And(ref int location, int bits) => Interlocked.And(ref location, bits);

    /// <summary>Atomic compare-and-swap, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long CompareExchange(ref long location, long value, long comparand) =>
        Interlocked.CompareExchange(ref location, value, comparand);

    /// <summary>Atomic swap of a reference; returns the one before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Exchange<T>(ref T location, T value)
        where T : class? =>
        Interlocked.Exchange(ref location, value);

    /// <summary>Atomic or; returns the value before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Or(ref long location, long bits) => Interlocked.Or(ref location, bits);

    /// <summary>Atomic and; returns the value before it, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long And(ref long location, long bits) => Interlocked.And(ref location, bits);

    /// <summary>Atomic increment; returns the new value, a full fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Increment(ref int location) => Interlocked.Increment(ref location);

    /// <summary>A read that nothing after it passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Read(ref readonly int location) => Volatile.Read(in location);

    /// <summary>A read that nothing after it passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Read(ref readonly long location) => Volatile.Read(in location);

    /// <summary>A read of a reference that nothing after it passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Read<T>(ref readonly T location)
        where T : class? => Volatile.Read(in location);

    /// <summary>A write that nothing before it passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write(ref int location, int value) => Volatile.Write(ref location, value);

    /// <inheritdoc cref="Write(ref int, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write(ref long location, long value) => Volatile.Write(ref location, value);

    /// <summary>A write of a reference that nothing before it passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write<T>(ref T location, T value)
        where T : class? => Volatile.Write(ref location, value);

    /// <summary>A full fence: writes before it are seen before reads after it are done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Fence() => Interlocked.MemoryBarrier();

    /// <summary>Starts a thread of ours. Its first step is <see cref="Parker.Adopt"/>, its last <see cref="Parker.Leave"/>.</summary>
    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Start(Thread thread, object? state) => thread.UnsafeStart(state);

    /// <summary>Has <paramref name="callback"/> called when the token is cancelled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static CancellationTokenRegistration OnCancelled(Action<object?> callback, object? state, CancellationToken token) =>
        token.UnsafeRegister(callback, state);

    /// <summary>Takes a callback back; one that is being called by another thread is waited for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Forget(CancellationTokenRegistration registration) => registration.Dispose();

    /// <summary>
    /// Lets code that is not ours go on after its await: on the .NET thread pool, which is where it came from. (Our own never comes here: it has a context,
    /// or runs on a worker.) Also where a clock that is not ours calls a thread that may hold our locks (<see cref="ProviderTimerClock"/>); the system's clock never comes here.
    /// </summary>
    /// <param name="item">What goes on.</param>
    /// <param name="preferLocal">On a thread of that pool, as its next: as after any other await.</param>
    internal static void QueueToCaller(IThreadPoolWorkItem item, bool preferLocal = true) => ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal);

    /// <summary>Tells the processor that the thread looks at a word again and again: a few dozen cycles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Pause()
    {
        if (X86Base.IsSupported)
            X86Base.Pause();
        else if (ArmBase.IsSupported)
            ArmBase.Yield();
        else
            Thread.SpinWait(1);
    }

    /// <summary>
    /// Called in a loop that waits for another thread to take a few more steps (never for one that sleeps). Yields the processor
    /// after some rounds, but never sleeps: the other may be of any priority and is known to be about to go on.
    /// </summary>
    internal static void Spin(ref SpinWait spin) => spin.SpinOnce(sleep1Threshold: -1);
}
