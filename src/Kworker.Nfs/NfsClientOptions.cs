using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfs;

/// <summary>How a client works with a server; the names in parentheses are those of nfs(5). Not changed once a client has been made of it.</summary>
public sealed class NfsClientOptions
{
    /// <summary>Whether operations fail when the server does not answer (<c>soft</c>); else they wait for it for ever (<c>hard</c>).</summary>
    public bool IsSoft { get; init; }

    /// <summary>Until a call that got no answer is sent again (<c>timeo</c>).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Retransmissions until the server is said not to respond, and a soft operation fails (<c>retrans</c>).</summary>
    public int Retransmissions { get; init; } = 2;

    /// <summary>Most bytes of a READ; 0 for what the server prefers (<c>rsize</c>).</summary>
    public int ReadSize { get; init; }

    /// <summary>Most bytes of a WRITE; 0 for what the server prefers (<c>wsize</c>).</summary>
    public int WriteSize { get; init; }

    /// <summary>Requests of one read or write that are under way at once.</summary>
    public int MaximumConcurrency { get; init; } = 16;

    /// <summary>Attributes of files are good for at least this long (<c>acregmin</c>), longer while they do not change.</summary>
    public TimeSpan FileAttributesMinimum { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Attributes of files are good for at most this long (<c>acregmax</c>).</summary>
    public TimeSpan FileAttributesMaximum { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>As <see cref="FileAttributesMinimum"/>, for directories (<c>acdirmin</c>).</summary>
    public TimeSpan DirectoryAttributesMinimum { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>As <see cref="FileAttributesMaximum"/>, for directories (<c>acdirmax</c>).</summary>
    public TimeSpan DirectoryAttributesMaximum { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The user that the server is told; null for that of this process.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group that the server is told; null for that of this process.</summary>
    public uint? Gid { get; init; }

    /// <summary>The port of MOUNT; 0 for what the URL or rpcbind says.</summary>
    public int MountPort { get; init; }

    /// <summary>Whether locks are refused here, without asking the server (<c>nolock</c>).</summary>
    public bool NoLock { get; init; }

    /// <summary>The port of the server's lock manager; 0 for what the URL or rpcbind says.</summary>
    public int LockPort { get; init; }

    /// <summary>
    /// The address of this machine to call from, and to be called back at about locks (<c>clientaddr</c>); null for the one that the route
    /// gives.
    /// </summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>What this machine calls itself to lock managers; null for its host name. Of all mounts of a process the first that locks says it.</summary>
    public string? LocalName { get; init; }

    /// <summary>The port of the rpcbind of this machine, by which lock managers call back; ours takes it if there is none.</summary>
    public int LocalRpcbindPort { get; init; } = 111;

    /// <summary>
    /// What happens to I/O on a file whose lock was lost because the server did not give it back after a restart: false refuses it, true
    /// lets it go on as if nothing had been (the kernel's <c>recover_lost_locks</c>).
    /// </summary>
    public bool RecoverLostLocks { get; init; }

    /// <summary>Where the state of the monitor of lock servers is kept, so that a restart of this machine is told to them; null for memory only.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>The system whose workers and time are used; null for the current one.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what the client has to say: "server X not responding, still trying", "server X OK", lost locks.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
