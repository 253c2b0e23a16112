using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Kworker.SunRpc;

/// <summary>Linux's epoll(7) and eventfd(2), as far as <see cref="ConnectionPoller"/> needs them.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class Epoll
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int CtlAdd = 1;
    private const int CtlMod = 3;
    private const uint In = 1;
    private const uint Out = 4;
    private const uint RdHup = 0x2000;
    private const uint OneShot = 1u << 30;
    private const int EINTR = 4;

    // struct epoll_event is packed on x86-64, and nowhere else.
    private static readonly int s_dataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private static int EventSize => s_dataOffset + sizeof(long);

    /// <summary>An epoll instance.</summary>
    /// <exception cref="IOException">There is no descriptor left.</exception>
    public static SafeFileHandle Create() => Own(EpollCreate(CloseOnExec));

    /// <summary>A counter that wakes who waits for it.</summary>
    /// <exception cref="IOException">There is no descriptor left.</exception>
    public static SafeFileHandle CreateEvent() => Own(EventFd(0, CloseOnExec | NonBlocking));

    /// <summary>Has every wait end for as long as a counter is not zero, or another instance has something to tell.</summary>
    public static void AddEvent(SafeFileHandle epoll, SafeFileHandle counter, long id)
    {
        byte* change = stackalloc byte[EventSize];
        Check(Control(epoll, CtlAdd, counter, Fill(change, In, id)));
    }

    /// <summary>Makes a socket known, without waiting for it yet.</summary>
    /// <param name="epoll">The instance.</param>
    /// <param name="socket">The socket; it is forgotten when it is closed.</param>
    /// <param name="id">What <see cref="Wait"/> tells.</param>
    public static void Add(SafeFileHandle epoll, SafeSocketHandle socket, long id)
    {
        byte* change = stackalloc byte[EventSize];
        Check(Control(epoll, CtlAdd, socket, Fill(change, OneShot, id)));
    }

    /// <summary>Tells once that the socket can be read, or has ended; now, if it can.</summary>
    public static void Arm(SafeFileHandle epoll, SafeSocketHandle socket, long id)
    {
        byte* change = stackalloc byte[EventSize];
        Check(Control(epoll, CtlMod, socket, Fill(change, In | RdHup | OneShot, id)));
    }

    /// <summary>Tells once that the socket has room to send, or has ended; now, if it is so.</summary>
    public static void ArmWritable(SafeFileHandle epoll, SafeSocketHandle socket, long id)
    {
        byte* change = stackalloc byte[EventSize];
        Check(Control(epoll, CtlMod, socket, Fill(change, Out | OneShot, id)));
    }

    /// <summary>Waits until there is something to tell.</summary>
    /// <param name="epoll">The instance.</param>
    /// <param name="ids">Gets of what.</param>
    /// <param name="milliseconds">How long; negative: for ever.</param>
    /// <returns>How many.</returns>
    public static int Wait(SafeFileHandle epoll, Span<long> ids, int milliseconds)
    {
        byte* events = stackalloc byte[EventSize * ids.Length];
        int count = EpollWait(epoll, events, ids.Length, milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() != EINTR)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        for (int i = 0; i < count; i++)
            ids[i] = *(long*)(events + (i * EventSize) + s_dataOffset);
        return Math.Max(count, 0);
    }

    /// <summary>Ends the waits.</summary>
    public static void Signal(SafeFileHandle counter)
    {
        ulong one = 1;
        Write(counter, &one, sizeof(ulong)); // fails only when it is full, and then it wakes, too
    }

    /// <summary>Takes the signals back.</summary>
    public static void Clear(SafeFileHandle counter)
    {
        ulong value;
        Read(counter, &value, sizeof(ulong));
    }

    private static byte* Fill(byte* change, uint events, long id)
    {
        *(uint*)change = events;
        *(long*)(change + s_dataOffset) = id;
        return change;
    }

    private static SafeFileHandle Own(int descriptor)
    {
        Check(descriptor);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static void Check(int result)
    {
        if (result < 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle epoll, int operation, SafeHandle descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(SafeFileHandle epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle descriptor, void* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle descriptor, void* bytes, nint count);
}
