using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Starts a program as the kernel's helpers start: in "/", without descriptors, session or signal settings of ours.</summary>
/// <remarks>
/// <para>
/// posix_spawn shares our memory until the exec instead of copying its page tables, and returns the errno of the exec. It never
/// falls back to a shell for a file of unknown format; only its sibling with the search path ever did.
/// </para>
/// <para>
/// A session of its own, because the kernel's helpers are in nobody's: a Ctrl-C at the terminal of the daemon is not meant for the
/// program that is just writing the daemon's state to disk, and the helper must not read or stop at that terminal.
/// </para>
/// <para>
/// What posix_spawn cannot set stays ours: umask, nice value, resource limits, user and groups. glibc leaves the two signals ignored that
/// it uses itself (32 and 33).
/// </para>
/// </remarks>
internal static unsafe class HelperSpawn
{
    // The C libraries' own sizes are 336 (attributes), 80 (file actions) and 128 (signal set); nobody publishes them as calls.
    private const int AttributesSize = 1024;
    private const int FileActionsSize = 512;
    private const int SignalSetSize = 256;

    private static readonly void* s_attributes = CreateAttributes();

    /// <summary>Null where the C library cannot close all descriptors in the child (it is older, or musl).</summary>
    private static readonly void* s_fileActions = CreateFileActions();

    /// <summary>Returns 0 and the process id, or a positive errno: that of the exec, or of the creation of the process.</summary>
    internal static int Spawn(HelperArguments arguments, out int pid) =>
        s_fileActions != null ? Spawn(arguments, s_fileActions, out pid) : SpawnListingDescriptors(arguments, out pid);

    /// <summary>
    /// As <see cref="Spawn(HelperArguments, out int)"/>, second best: a descriptor that another thread opens between the list and the spawn
    /// is inherited unless close-on-exec.
    /// </summary>
    internal static int SpawnListingDescriptors(HelperArguments arguments, out int pid)
    {
        void* actions = NewFileActions();
        try
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                if (int.TryParse(Path.GetFileName(entry), out int descriptor))
                    Check(HelperLibC.FileActionsAddClose(actions, descriptor), "posix_spawn_file_actions_addclose");
            }
            return Spawn(arguments, actions, out pid);
        }
        finally
        {
            FreeFileActions(actions);
        }
    }

    private static int Spawn(HelperArguments arguments, void* fileActions, out int pid)
    {
        int child = 0;
        int error = HelperLibC.Spawn(&child, arguments.Path, fileActions, s_attributes, arguments.Argv, arguments.Envp);
        pid = child;
        return error;
    }

    private static void* CreateAttributes()
    {
        void* attributes = NativeMemory.AllocZeroed(AttributesSize);
        Check(HelperLibC.SpawnAttributesInit(attributes), "posix_spawnattr_init");

        // The runtime ignores SIGPIPE and catches others; an exec keeps what is ignored or blocked.
        byte* signals = stackalloc byte[SignalSetSize];
        Check(HelperLibC.SignalSetFill(signals), "sigfillset");
        Check(HelperLibC.SpawnAttributesSetSignalDefault(attributes, signals), "posix_spawnattr_setsigdefault");
        Check(HelperLibC.SignalSetEmpty(signals), "sigemptyset");
        Check(HelperLibC.SpawnAttributesSetSignalMask(attributes, signals), "posix_spawnattr_setsigmask");
        Check(
            HelperLibC.SpawnAttributesSetFlags(
                attributes, HelperLibC.SpawnSetSigDef | HelperLibC.SpawnSetSigMask | HelperLibC.SpawnSetSid),
            "posix_spawnattr_setflags");
        return attributes;
    }

    private static void* CreateFileActions()
    {
        void* actions = NewFileActions();
        try
        {
            Check(HelperLibC.FileActionsAddCloseFrom(actions, 0), "posix_spawn_file_actions_addclosefrom_np");
            return actions;
        }
        catch (EntryPointNotFoundException)
        {
            FreeFileActions(actions);
            return null;
        }
    }

    private static void* NewFileActions()
    {
        void* actions = NativeMemory.AllocZeroed(FileActionsSize);
        Check(HelperLibC.FileActionsInit(actions), "posix_spawn_file_actions_init");
        Check(HelperLibC.FileActionsAddChangeDirectory(actions, "/"), "posix_spawn_file_actions_addchdir_np");
        return actions;
    }

    private static void FreeFileActions(void* actions)
    {
        HelperLibC.FileActionsDestroy(actions);
        NativeMemory.Free(actions);
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new InvalidOperationException($"{call} failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }
}
