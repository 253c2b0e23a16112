using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>Puts a client's credentials on this thread, and takes them off.</summary>
/// <remarks>
/// One object a thread, used again by every call on it; it must not leave the thread. Credentials are put on for as few system calls as can be and always
/// taken off again on the same thread, by <see cref="End"/> at the latest; if the kernel would not take them off, the process ends rather than serve the next request as
/// the last one's user. While they are on, no code but this assembly's and the core library's may run: the runtime could have to load a
/// file that the client's user may not read.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class ThreadCredentials
{
    [ThreadStatic]
    private static ThreadCredentials? t_own;

    private ServerIdentity _server = null!;
    private bool _isRunning;
    private bool _isOther;

    private ThreadCredentials()
    {
    }

    /// <summary>Begins to use this thread's.</summary>
    public static ThreadCredentials Begin(ServerIdentity server)
    {
        ThreadCredentials? own = t_own;
        if (own is null)
        {
            // A thread starts with the credentials of the one that made it. None of ours is made while a client's are on, but this is the place to be sure.
            own = t_own = new ThreadCredentials();
            own._isOther = server.CanImpersonate;
        }
        if (own._isRunning)
            throw new InvalidOperationException("A file system call began inside another on the same thread.");
        own._server = server;
        own.ActAsServer();
        own._isRunning = true;
        return own;
    }

    /// <summary>Runs what follows as <paramref name="caller"/>, if the server can.</summary>
    /// <returns><see cref="NfsStatus.Acces"/> if there is no such user here (an id outside the server's user namespace).</returns>
    public NfsStatus ActAs(NfsCredentials caller)
    {
        if (!_server.CanImpersonate || _isOther)
            return NfsStatus.Ok;
        if (caller.Uid == _server.Uid && caller.Gid == _server.Gid)
            return NfsStatus.Ok; // Root with root's group: further groups grant it nothing that it has not.

        _isOther = true;
        bool hasGroups = Libc.SetThreadGroups(caller.Groups) == 0;
        Libc.SetThreadFsGid(caller.Gid);
        Libc.SetThreadFsUid(caller.Uid); // Last: leaving uid 0 drops the capabilities that override permissions.

        // These two say nothing when they fail; whoever then went on would go on as root.
        if (hasGroups && Libc.SetThreadFsUid(uint.MaxValue) == caller.Uid && Libc.SetThreadFsGid(uint.MaxValue) == caller.Gid)
            return NfsStatus.Ok;
        ActAsServer();
        return NfsStatus.Acces;
    }

    /// <summary>Runs what follows as the server again.</summary>
    public void ActAsServer()
    {
        if (!_isOther)
            return;
        Libc.SetThreadFsUid(_server.Uid);
        Libc.SetThreadFsGid(_server.Gid);
        if (Libc.SetThreadGroups(_server.Groups) != 0
            || Libc.SetThreadFsUid(uint.MaxValue) != _server.Uid || Libc.SetThreadFsGid(uint.MaxValue) != _server.Gid)
        {
            Environment.FailFast("A client's credentials cannot be taken off this thread.");
        }
        _isOther = false;
    }

    /// <summary>Ends the use, as the server.</summary>
    public void End()
    {
        ActAsServer();
        _isRunning = false;
    }
}
