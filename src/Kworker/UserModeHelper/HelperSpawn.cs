using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>
/// Starts a program as the kernel's helpers start: in "/", without descriptors, session or signal settings of ours; but for what is asked for.
/// </summary>
/// <remarks>
/// <para>
/// posix_spawn shares our memory until the exec instead of copying its page tables, and returns the errno of the exec. It never
/// falls back to a shell for a file of unknown format; only its sibling with the search path ever did.
/// </para>
/// <para>
/// Out of the reach of our terminal, because the kernel's helpers have none: a Ctrl-C at the daemon's is not meant for the program that
/// is just writing the daemon's state to disk, and the helper must not read or stop at it. Where we have a terminal that takes a session
/// of its own, else a process group is enough. Not a session in any case, because each is a scheduling group of its own where the kernel
/// has automatic ones, and a busy machine lets a new group wait: the spawn then takes half as long again.
/// </para>
/// <para>
/// What posix_spawn cannot set stays ours: umask, nice value, resource limits. User and groups are those of the thread that spawns. glibc
/// leaves the two signals ignored that it uses itself (32 and 33).
/// </para>
/// </remarks>
internal static unsafe class HelperSpawn
{
    // The C libraries' own sizes are 336 (attributes), 80 (file actions) and 128 (signal set); nobody publishes them as calls.
    private const int AttributesSize = 1024;
    private const int FileActionsSize = 512;
    private const int SignalSetSize = 256;

    /// <summary>In place of the descriptor of a directory: "/".</summary>
    private const int FromRoot = -1;

    /// <summary>The first descriptor that is neither standard input nor an output.</summary>
    private const int FirstOther = 3;

    private static readonly HelperStatus s_started = new(HelperOutcome.Started, 0);

    private static readonly void* s_attributes = CreateAttributes();

    /// <summary>Null where the C library cannot close all descriptors in the child (it is older, or musl).</summary>
    private static readonly void* s_fileActions = CreateFileActions();

    /// <summary>Starts the program with all that is asked for it. Its pipes, where it has any, are to be watched by the reaper.</summary>
    internal static HelperStatus Spawn(HelperProgram program, out int pid, out HelperPipes? pipes) =>
        program.Credentials is null ? SpawnHere(program, out pid, out pipes) : HelperIdentity.Spawn(program, out pid, out pipes);

    /// <summary>Returns 0 and the process id, or a positive errno: that of the exec, or of the creation of the process.</summary>
    internal static int Spawn(HelperArguments arguments, out int pid) =>
        s_fileActions != null ? Spawn(arguments, s_fileActions, out pid) : SpawnListingDescriptors(arguments, out pid);

    /// <summary>
    /// As <see cref="Spawn(HelperArguments, out int)"/>, second best: a descriptor that another thread opens between the list and the spawn
    /// is inherited unless close-on-exec.
    /// </summary>
    internal static int SpawnListingDescriptors(HelperArguments arguments, out int pid)
    {
        void* actions = NewFileActions(FromRoot);
        try
        {
            AddCloseListed(actions, 0);
            return Spawn(arguments, actions, out pid);
        }
        finally
        {
            FreeFileActions(actions);
        }
    }

    /// <summary>The same with the ids that the calling thread has.</summary>
    internal static HelperStatus SpawnHere(HelperProgram program, out int pid, out HelperPipes? pipes)
    {
        pid = 0;
        pipes = null;
        using var arguments = new HelperArguments(program.Path, program.Arguments, program.Environment);
        int error;
        if (program.WorkingDirectory is null && !program.HasStreams)
        {
            error = Spawn(arguments, out pid);
            return error == 0 ? s_started : HelperStatus.ExecFailed(error);
        }

        int directory = FromRoot;
        bool started = false;
        try
        {
            if (program.WorkingDirectory is { } path)
            {
                // Opened here and not in the child, which could not say whether the directory failed it or the exec. The dot takes the right to search it, as a
                // change of directory does.
                directory = HelperLibC.Open(HelperArguments.FromRoot(path) + "/.", HelperLibC.PathOnly | HelperLibC.CloseOnExec);
                if (directory < 0)
                    return HelperStatus.SetupFailed("chdir", Marshal.GetLastPInvokeError());
            }
            pipes = HelperPipes.TryOpen(program, out error);
            if (pipes is null)
                return HelperStatus.SetupFailed("pipe2", error);
            error = Spawn(arguments, directory, pipes, out pid);
            started = error == 0;
            return started ? s_started : HelperStatus.ExecFailed(error);
        }
        finally
        {
            if (directory >= 0)
                HelperLibC.Close(directory);
            pipes?.CloseChildEnds();
            if (!started)
                pipes?.CloseOurEnds();
        }
    }

    private static int Spawn(HelperArguments arguments, int directory, HelperPipes pipes, out int pid)
    {
        void* actions = NewFileActions(directory);
        try
        {
            AddStream(actions, pipes.ChildInput, 0);
            AddStream(actions, pipes.ChildOutput, 1);
            AddStream(actions, pipes.ChildError, 2);
            if (s_fileActions != null)
                Check(HelperLibC.FileActionsAddCloseFrom(actions, FirstOther), "posix_spawn_file_actions_addclosefrom_np");
            else
                AddCloseListed(actions, FirstOther);
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

    private static void AddStream(void* actions, int descriptor, int number)
    {
        if (descriptor >= 0)
            Check(HelperLibC.FileActionsAddDuplicate(actions, descriptor, number), "posix_spawn_file_actions_adddup2");
        else
            Check(HelperLibC.FileActionsAddClose(actions, number), "posix_spawn_file_actions_addclose");
    }

    private static void AddCloseListed(void* actions, int first)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), out int descriptor) && descriptor >= first)
                Check(HelperLibC.FileActionsAddClose(actions, descriptor), "posix_spawn_file_actions_addclose");
        }
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
                attributes,
                (short)(HelperLibC.SpawnSetSigDef | HelperLibC.SpawnSetSigMask | (HasTerminal() ? HelperLibC.SpawnSetSid : HelperLibC.SpawnSetGroup))),
            "posix_spawnattr_setflags");
        return attributes;
    }

    private static bool HasTerminal()
    {
        int terminal = HelperLibC.Open("/dev/tty", HelperLibC.CloseOnExec);
        if (terminal < 0)
            return false; // ENXIO: there is none
        HelperLibC.Close(terminal);
        return true;
    }

    private static void* CreateFileActions()
    {
        void* actions = NewFileActions(FromRoot);
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

    private static void* NewFileActions(int directory)
    {
        void* actions = NativeMemory.AllocZeroed(FileActionsSize);
        Check(HelperLibC.FileActionsInit(actions), "posix_spawn_file_actions_init");
        if (directory == FromRoot)
            Check(HelperLibC.FileActionsAddChangeDirectory(actions, "/"), "posix_spawn_file_actions_addchdir_np");
        else
            Check(HelperLibC.FileActionsAddChangeDirectory(actions, directory), "posix_spawn_file_actions_addfchdir_np");
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
