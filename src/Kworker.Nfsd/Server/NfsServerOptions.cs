using System.Net;
using System.Net.Sockets;
using Kworker.Lockd;
using Kworker.Lockd.Grace;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.State;
using Kworker.Nfsd.Tracking;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd;

/// <summary>What an <see cref="NfsServer"/> serves, and where. Not changed once the server has been made of it.</summary>
public sealed class NfsServerOptions
{
    /// <summary>The port that nfs(5) takes when none is named.</summary>
    public const int DefaultPort = 2049;

    private static readonly TimeSpan s_graceOfV4 = TimeSpan.FromSeconds(90); // NFSD_LEASE_TIME

    /// <summary>What is exported; at least one.</summary>
    public IList<NfsExport> Exports { get; init; } = [];

    /// <summary>The one port of all programs (NFS, MOUNT and those of locks), TCP and UDP; 0 takes a free one.</summary>
    public int Port { get; set; } = DefaultPort;

    /// <summary>The addresses to listen on. Loopback by default: NFS with AUTH_SYS trusts the client's machine.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; set; } = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <summary>
    /// Sockets that somebody else has bound, a service manager for one: TCP sockets, at least one, and UDP sockets. They are served in place of own ones, whatever
    /// <see cref="Addresses"/> and <see cref="Port"/> say, and are the server's from its start on.
    /// </summary>
    public IReadOnlyList<Socket> Sockets { get; set; } = [];

    /// <summary>Where the programs are registered, so that clients need not name the port of MOUNT.</summary>
    public RpcbindMode Rpcbind { get; set; } = RpcbindMode.None;

    /// <summary>
    /// Where the server keeps what must outlive it: the key of its file handles, and which clients hold locks. Made if it is not there. If null, the key is
    /// a new one at each start, clients that were mounted before must mount again, and nobody's locks are waited for.
    /// </summary>
    public string? StateDirectory { get; set; }

    /// <summary>Most data of a READ or WRITE over TCP, in bytes; a multiple of 4096 up to 16 MiB. Clients take Linux's limit of 1 MiB at most.</summary>
    public int MaximumTransfer { get; set; } = 1 << 20;

    /// <summary>Whether byte-range locks are served (NLM). Clients find them by rpcbind only: see <see cref="Rpcbind"/>.</summary>
    public bool Locks { get; set; } = true;

    /// <summary>
    /// Whether clients' locks are also taken on the files of a <see cref="FileSystem.Local.LocalFileSystem"/>, so that programs of this machine and clients see
    /// each other's.
    /// </summary>
    public bool LocalLocks { get; set; } = true;

    /// <summary>Who tells clients of our restarts, and us of theirs.</summary>
    public NsmMode Nsm { get; set; } = NsmMode.BuiltIn;

    /// <summary>
    /// How long clients have after a start to get back the locks that they held, while nobody gets new ones. None is needed, and none is taken, when nobody
    /// held locks before. Null: as with Linux, 90 seconds if a version 4 is served, whose clients may hear of the restart only when they renew their lease; else
    /// lockd's 50 seconds.
    /// </summary>
    public TimeSpan? Grace { get; set; }

    /// <summary>
    /// NFSv4: how long a client may be silent before another may take what it holds. A client that comes back later finds what nobody has asked for.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>The versions of NFS that are served.</summary>
    public NfsVersions Versions { get; set; } = NfsVersions.All;

    /// <summary>
    /// NFSv4: the program that keeps the record of clients which may get their locks and open files back after a restart. Null: the machine's
    /// <c>/sbin/nfsdcltrack</c>, or, if there is none, <c>nfsdcltrack</c> beside this program. There is no record without <see cref="StateDirectory"/>.
    /// </summary>
    public string? ClientTrackingProgram { get; set; }

    /// <summary>
    /// NFSv4: where that program is to keep the record. Null: a program named <c>nfsdcltrack</c> has it in <see cref="StateDirectory"/>; any other one is called
    /// exactly as the kernel calls it, and keeps it where it will.
    /// </summary>
    public string? ClientTrackingStorage { get; set; }

    /// <summary>The system whose workers run the calls; the current one if null.</summary>
    public KworkerSystem? System { get; set; }

    /// <summary>Takes what the server has to say; null for nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    private bool ServesV4 => (Versions & NfsVersions.V4) != NfsVersions.None;

    private TimeSpan GraceTaken => Grace ?? (ServesV4 ? s_graceOfV4 : GracePeriod.Default);

    /// <summary>What of this concerns locks.</summary>
    internal LockServiceOptions MakeLockOptions(ILogger logger) => new()
    {
        Grace = GraceTaken,
        Nsm = Nsm,
        StateDirectory = StateDirectory,
        System = System,
        Logger = logger,
    };

    /// <summary>What of this concerns NFSv4's state.</summary>
    internal NfsStateOptions MakeStateOptions(ILogger logger) => new()
    {
        Lease = Lease,
        Grace = GraceTaken,
        MaximumMessage = MaximumTransfer + NfsStateOptions.MessageOverhead,
        System = System,
        Logger = logger,
    };

    /// <summary>The record of NFSv4's clients.</summary>
    internal IClientTracking MakeTracking(ILogger logger)
    {
        if (StateDirectory is null || !ServesV4)
            return new NoTracking();
        // Helpers run in the root directory.
        string state = Path.GetFullPath(StateDirectory);
        string? program = ClientTrackingProgram is null ? null : Path.GetFullPath(ClientTrackingProgram);
        string? storage = ClientTrackingStorage is not null ? Path.GetFullPath(ClientTrackingStorage)
            : TrackingProgram.TakesStorage(program ?? TrackingProgram.Find()) ? Path.Combine(state, TrackingProgram.Name)
            : null;
        return new UmhClientTracking(
            new UmhTrackingOptions
            {
                Program = program,
                StorageDirectory = storage,
                // Whose record is its own has legacy ones of its own, too: there are none, and those of the machine's server are left alone.
                RecoveryDirectory = storage is null ? UmhTrackingOptions.KernelRecoveryDirectory : Path.Combine(state, "v4recovery"),
                TrustFile = Path.Combine(state, "nfsdcltrack-trust"),
                System = System ?? KworkerSystem.Current,
            },
            logger);
    }

    /// <summary>The key of file handles, by <see cref="StateDirectory"/>.</summary>
    internal FileHandleSeal MakeSeal() => new(
        StateDirectory is null
            ? global::System.Security.Cryptography.RandomNumberGenerator.GetBytes(FileHandleSeal.KeyLength)
            : FileHandleSeal.LoadOrCreateKey(Path.Combine(StateDirectory, "file-handle-key")));
}
