using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Collects the status of a child that ended, as the integer that wait(2) gives.</summary>
internal static unsafe class HelperChildStatus
{
    private const int InfoSize = 128;
    private const int CodeExited = 1;
    private const int CodeDumped = 3;
    private const int CoreDumped = 0x80;

    private const short PollIn = 1;

    // struct pidfd_info in its first published form: mask, ten ids, and the status at its end.
    private const int PidFdInfoSize = 64;
    private const int PidFdInfoExitCode = 60;
    private const ulong PidFdInfoExit = 1 << 3;
    private const nuint PidFdGetInfo = 0xC040FF0B;

    /// <summary>
    /// Reaps the child if it ended. True with its wait status; true with -ECHILD where somebody else reaped it and the kernel does
    /// not tell any more how it ended; false while it runs.
    /// </summary>
    /// <param name="pid">The process id.</param>
    /// <param name="pidFd">Its pidfd, or -1.</param>
    /// <param name="status">The wait status, or -ECHILD.</param>
    internal static bool TryReap(int pid, int pidFd, out int status)
    {
        byte* info = stackalloc byte[InfoSize];
        new Span<byte>(info, InfoSize).Clear();
        int result;
        do
        {
            result = pidFd >= 0
                ? HelperLibC.WaitId(HelperLibC.IdTypePidFd, pidFd, info, HelperLibC.WaitExited | HelperLibC.WaitNoHang)
                : HelperLibC.WaitId(HelperLibC.IdTypePid, pid, info, HelperLibC.WaitExited | HelperLibC.WaitNoHang);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);

        if (result < 0)
            return TryReadStolenStatus(pidFd, out status);

        int* fields = (int*)info;
        int code = fields[2];

        // The union of siginfo begins at a pointer's alignment: pid, uid, status.
        int* child = fields + (sizeof(nint) == 8 ? 4 : 3);
        if (child[0] == 0)
        {
            status = 0;
            return false;
        }
        status = code == CodeExited ? (child[2] & 0xff) << 8 : code == CodeDumped ? child[2] | CoreDumped : child[2];
        if (Listeners.Helper)
            TracePoints.HelperEnded(pid, status);
        return true;
    }

    /// <summary>Waits on the calling thread. False where the time is over and the child still runs.</summary>
    internal static bool Wait(int pid, int pidFd, int milliseconds, out int status)
    {
        long deadline = Environment.TickCount64 + milliseconds;
        PollDescriptor poll = new() { Descriptor = pidFd, Events = PollIn };
        while (true)
        {
            long left = Math.Max(deadline - Environment.TickCount64, 0);
            HelperLibC.Poll(&poll, 1, (int)left);
            if (TryReap(pid, pidFd, out status))
                return true;
            if (left == 0)
                return false;
        }
    }

    /// <summary>
    /// Somebody reaped our child: a waitpid(-1) in native code of this process, or the runtime itself, which reaps every child it
    /// finds when it is process 1 and uses <see cref="System.Diagnostics.Process"/>. Since Linux 6.15 a pidfd remembers the status.
    /// </summary>
    private static bool TryReadStolenStatus(int pidFd, out int status)
    {
        status = -Errno.ECHILD;
        if (pidFd < 0)
            return true;
        byte* info = stackalloc byte[PidFdInfoSize];
        new Span<byte>(info, PidFdInfoSize).Clear();
        *(ulong*)info = PidFdInfoExit;
        if (HelperLibC.IoControl(pidFd, PidFdGetInfo, info) == 0 && (*(ulong*)info & PidFdInfoExit) != 0)
            status = *(int*)(info + PidFdInfoExitCode);
        return true;
    }

    /// <summary>struct pollfd.</summary>
    private struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Returned;
    }
}
