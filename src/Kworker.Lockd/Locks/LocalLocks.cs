using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kworker.Lockd.Locks;

/// <summary>
/// Locks of ours on a local file: one descriptor, which holds what all owners of the table hold together, of the stronger kind
/// (<c>fcntl</c>'s locks of an open file description, Linux 3.15). Guarded by the file's lock.
/// </summary>
[DebuggerDisplay("{_handle}")]
internal sealed unsafe partial class LocalLocks(SafeFileHandle handle, bool canWrite) : IDisposable
{
    private const int GetLock = 36; // F_OFD_GETLK
    private const int SetLock = 37; // F_OFD_SETLK
    private const short ReadLock = 0; // F_RDLCK
    private const short WriteLock = 1; // F_WRLCK
    private const short NoLock = 2; // F_UNLCK

    private const int Attempts = 3;

    private const int EINTR = 4;
    private const int EAGAIN = 11;
    private const int EACCES = 13;

    private readonly SafeFileHandle _handle = handle;

    /// <summary>Makes our lock in the range be of a kind: all of it or, if that is not granted, nothing changes.</summary>
    /// <returns>Granted, Denied (a local program's lock is in the way), or NoLocks.</returns>
    public LockOutcome Set(LockKind kind, LockRange range, out LockConflict conflict)
    {
        conflict = default;
        for (int attempt = 1; ; attempt++)
        {
            if (!TryDescribe(Type(kind), range, out FileLock wanted) || Call(SetLock, ref wanted) == 0)
                return LockOutcome.Granted;
            if (Marshal.GetLastPInvokeError() is not (EAGAIN or EACCES))
                return LockOutcome.NoLocks;
            if (!Test(kind, range, out conflict))
                return LockOutcome.Denied;
            // It has gone since; or the file system refuses for a reason of its own.
            if (attempt == Attempts)
            {
                conflict = new LockConflict(null, 0, LockKind.Write, range);
                return LockOutcome.Denied;
            }
        }
    }

    /// <summary>Gives up our lock in the range. The kernel may refuse only for want of memory: then it stands until the descriptor closes.</summary>
    public bool Clear(LockRange range) => !TryDescribe(NoLock, range, out FileLock wanted) || Call(SetLock, ref wanted) == 0;

    /// <summary>Whether no local program's lock would be in the way.</summary>
    public bool Test(LockKind kind, LockRange range, out LockConflict conflict)
    {
        conflict = default;
        if (!TryDescribe(Type(kind), range, out FileLock found) || Call(GetLock, ref found) != 0 || found.Type == NoLock)
            return true;
        ulong start = (ulong)found.Start;
        conflict = new LockConflict(
            null,
            Math.Max(found.Pid, 0), // -1: another description's, of whatever process
            found.Type == WriteLock ? LockKind.Write : LockKind.Read,
            new LockRange(start, found.Length == 0 ? ulong.MaxValue : start + (ulong)found.Length - 1));
        return false;
    }

    /// <summary>Closes the descriptor, and our locks with it.</summary>
    public void Dispose() => _handle.Dispose();

    private short Type(LockKind kind) => kind == LockKind.Write && canWrite ? WriteLock : ReadLock;

    // The kernel's offsets end at 2^63-1. What is behind is not to be locked there, and nobody can.
    private static bool TryDescribe(short type, LockRange range, out FileLock description)
    {
        description = default;
        if (range.Start > long.MaxValue)
            return false;
        description.Type = type;
        description.Start = (long)range.Start;
        description.Length = range.End >= long.MaxValue ? 0 : (long)(range.End - range.Start + 1);
        return true;
    }

    private int Call(int command, ref FileLock argument)
    {
        fixed (FileLock* pointer = &argument)
        {
            int result;
            do
                result = Control(_handle, command, pointer);
            while (result != 0 && Marshal.GetLastPInvokeError() == EINTR);
            return result;
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, FileLock* argument);

    /// <summary><c>struct flock</c> of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid; // 0 when asked
    }
}
