using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Starts a program with the ids and groups of somebody else.</summary>
/// <remarks>
/// <para>
/// In Linux each thread has ids of its own, and a child takes those of the thread that makes it. (The C library's setuid and its like change all threads of
/// the process; the bare system calls change one.) The thread is made for this and ends after it: so the ids are put on for good, real and saved
/// ones as well, and no failure on the way back can leave a thread of ours with the rights of another user.
/// </para>
/// <para>
/// Everything that the rights decide is done on that thread: opening the working directory, making the pipes (which the helper may then open again
/// by name, as /dev/stdout), the exec.
/// </para>
/// </remarks>
internal static unsafe class HelperIdentity
{
    private const string ThreadName = "umh-spawn";

    // prctl(2)
    private const int Ambient = 47;
    private const int AmbientClearAll = 4;

    /// <summary>The numbers of the calls that change a thread's ids; null where we do not know them.</summary>
    internal static (nint SetGroups, nint SetGroupIds, nint SetUserIds)? CallNumbers { get; } = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (116, 119, 117),
        Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => (159, 149, 147),
        _ => null,
    };

    internal static HelperStatus Spawn(HelperProgram program, out int pid, out HelperPipes? pipes)
    {
        int childPid = 0;
        HelperPipes? childPipes = null;
        HelperStatus status = default;
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                status = PutOn(program.Credentials!) ?? HelperSpawn.SpawnHere(program, out childPid, out childPipes);
            }
            catch (Exception e)
            {
                thrown = e; // of this thread's caller, who gets it below
            }
        })
        { Name = ThreadName, IsBackground = true };
        pid = 0;
        pipes = null;
        try
        {
            thread.UnsafeStart();
        }
        catch (OutOfMemoryException)
        {
            return HelperStatus.SetupFailed("clone", Errno.EAGAIN);
        }
        thread.Join();
        if (thrown is not null)
            throw new InvalidOperationException($"The helper '{program.Path}' could not be started.", thrown);
        pid = childPid;
        pipes = childPipes;
        return status;
    }

    /// <summary>Null, or what was refused. The order is the only one that works: who has given up his user id can change no group.</summary>
    private static HelperStatus? PutOn(HelperCredentials credentials)
    {
        if (CallNumbers is not { } calls)
            return HelperStatus.SetupFailed("setresuid", Errno.ENOSYS);
        uint[] groups = [.. credentials.Groups];

        // Who may not change groups may still run a helper with the very ones that there are.
        if (!HasGroups(groups))
        {
            fixed (uint* first = groups)
            {
                if (HelperLibC.SystemCall(calls.SetGroups, groups.Length, (nint)first, 0) != 0)
                    return HelperStatus.SetupFailed("setgroups", Marshal.GetLastPInvokeError());
            }
        }
        nint group = unchecked((int)credentials.Group);
        if (HelperLibC.SystemCall(calls.SetGroupIds, group, group, group) != 0)
            return HelperStatus.SetupFailed("setresgid", Marshal.GetLastPInvokeError());
        nint user = unchecked((int)credentials.User);
        if (HelperLibC.SystemCall(calls.SetUserIds, user, user, user) != 0)
            return HelperStatus.SetupFailed("setresuid", Marshal.GetLastPInvokeError());

        // Ambient capabilities outlive a change of ids where neither is root, and the exec. A kernel that does not know them (before 4.3) has none.
        HelperLibC.ProcessControl(Ambient, AmbientClearAll, 0, 0, 0);
        return null;
    }

    private static bool HasGroups(uint[] groups)
    {
        int count = HelperLibC.GetGroups(0, null);
        if (count != groups.Length)
            return false;
        uint[] own = new uint[count];
        fixed (uint* first = own)
            count = HelperLibC.GetGroups(count, first);
        return count == groups.Length && own.Order().SequenceEqual(groups.Order());
    }
}
