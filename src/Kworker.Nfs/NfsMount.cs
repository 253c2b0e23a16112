using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Nfs;

/// <summary>What all operations on a mounted export share: transport, root, sizes, inodes (<c>struct nfs_server</c>). Thread-safe.</summary>
internal sealed class NfsMount : IAsyncDisposable
{
    private const uint MountProgram = 100005;
    private const uint MountVersion = 3;
    private const uint MountMnt = 1;
    private const uint MountUmnt = 3;
    private const int LargestTransfer = 1 << 20;
    private const int ReplyOverhead = 4096; // the longest head of a reply, with attributes

    private readonly HashSet<DelayedWork<Action>> _retries = []; // locks itself; not due yet
    private int _mountPort; // set while mounting

    /// <summary><c>NFS_JUKEBOX_RETRY_TIME</c>.</summary>
    private static readonly TimeSpan s_jukeboxDelay = TimeSpan.FromSeconds(5);

    private NfsMount(NfsUrl url, NfsClientOptions options)
    {
        Url = url;
        Options = options;
        System = options.System ?? KworkerSystem.Current;
        Time = System.TimeProvider;
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Kworker.Nfs");
        Queue = new Workqueue("nfsiod", new WorkqueueOptions { Unbound = true }, System);
        Inodes = new InodeTable(options, Time);
        Locks = new MountLocks(this);
        Credential = RpcCredential.Sys(
            options.Uid ?? Identity.User, options.Gid ?? Identity.Group, options.Uid is null && options.Gid is null ? Identity.Groups : [], Dns.GetHostName());
    }

    public NfsUrl Url { get; }

    public NfsClientOptions Options { get; }

    public KworkerSystem System { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    /// <summary>Where replies are handled (<c>nfsiod</c>).</summary>
    public Workqueue Queue { get; }

    public InodeTable Inodes { get; }

    public MountLocks Locks { get; }

    public RpcCredential Credential { get; }

    public Nfs3Calls Calls { get; private set; } = null!;

    /// <summary>The server's address, with the port of NFS.</summary>
    public IPEndPoint Server { get; private set; } = null!;

    /// <summary>The export's path, as the server was asked to mount it; the URL's path begins with it.</summary>
    public string ExportPath { get; private set; } = "";

    public Inode Root { get; private set; } = null!;

    /// <summary>Most bytes of a READ.</summary>
    public int ReadSize { get; private set; }

    /// <summary>Most bytes of a WRITE.</summary>
    public int WriteSize { get; private set; }

    /// <summary>Bytes of a directory listing to ask for.</summary>
    public uint ListingSize { get; private set; } = 64 << 10;

    public RpcTimeouts Timeouts => RpcTimeouts.Linear(Options.Timeout, Options.Retransmissions);

    public static async ValueTask<NfsMount> MountAsync(NfsUrl url, NfsClientOptions options, CancellationToken cancellationToken)
    {
        var mount = new NfsMount(url, options);
        try
        {
            await mount.ConnectAsync(cancellationToken).ConfigureAwait(false);
            return mount;
        }
        catch (Exception exception)
        {
            await mount.DisposeAsync().ConfigureAwait(false);
            if (exception is SocketException || Nfs3Calls.IsTransports(exception))
                throw Nfs3Calls.Failure("mount", url.ToString(), exception);
            throw;
        }
    }

    /// <summary>Does something after the time that a server which is slow (JUKEBOX) is given.</summary>
    public void RetryLater(Action action)
    {
        DelayedWork<Action>? work = null;
        work = new DelayedWork<Action>(action, later =>
        {
            lock (_retries)
                _retries.Remove(work!);
            later();
        });
        lock (_retries)
            _retries.Add(work);
        Queue.Queue(work, s_jukeboxDelay);
    }

    /// <summary>Looks up a port: given, or asked for.</summary>
    public async ValueTask<int> PortOfAsync(uint program, uint version, RpcTransport transport, CancellationToken cancellationToken) =>
        await RpcbindClient.GetPortAsync(
            new IPEndPoint(Server.Address, Url.RpcbindPort), program, version, transport, RpcTimeouts.Linear(TimeSpan.FromSeconds(10), 1), cancellationToken)
        .ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await Locks.DisposeAsync().ConfigureAwait(false);
        if (Calls is not null)
        {
            await UnmountAsync().ConfigureAwait(false);
            await Calls.Rpc.DisposeAsync().ConfigureAwait(false);
        }
        // At once, and in vain: so that nobody waits for them for ever.
        DelayedWork<Action>[] retries;
        lock (_retries)
            retries = [.. _retries];
        foreach (DelayedWork<Action> retry in retries)
            await retry.FlushAsync().ConfigureAwait(false);
        await Queue.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask ConnectAsync(CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(Url.Host, cancellationToken).ConfigureAwait(false);
        // The first of IPv4, which every server has, then whatever there is.
        Server = new IPEndPoint(
            addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0], Url.Port);
        if (Server.Port == 0)
            Server.Port = await RequiredPortAsync(Nfs3Calls.Program, Nfs3Calls.Version, "NFS version 3", cancellationToken).ConfigureAwait(false);
        (NfsFh3 handle, int mountPort) = await MountRootAsync(cancellationToken).ConfigureAwait(false);
        _mountPort = mountPort;
        Calls = new Nfs3Calls(new RpcClient(Server, RpcTransport.Tcp, new RpcClientOptions
        {
            ServerName = Url.Host,
            Credential = Credential,
            Timeouts = Timeouts,
            IsSoft = Options.IsSoft,
            FromReservedPort = true,
            LocalAddress = Options.LocalAddress,
            MaximumReply = LargestTransfer + ReplyOverhead,
            System = System,
            Queue = Queue,
            Logger = Logger,
        }));
        Root = Inodes.Get(handle);
        FsInfo3Res info = await Calls.CallAsync<FsInfo3Args, FsInfo3Res>(
            Nfs3Procedure.FsInfo, new FsInfo3Args(handle), ExportPath, cancellationToken).ConfigureAwait(false);
        ReadSize = Size(Options.ReadSize, info.Ok.Rtmax, info.Ok.Rtpref);
        WriteSize = Size(Options.WriteSize, info.Ok.Wtmax, info.Ok.Wtpref);
        ListingSize = Math.Clamp(info.Ok.Dtpref, 4096, 64 << 10);
    }

    private static int Size(int wanted, uint maximum, uint preferred)
    {
        uint size = wanted > 0 ? (uint)wanted : preferred > 0 ? preferred : maximum;
        return (int)Math.Clamp(size, 1, Math.Clamp(maximum, 1, LargestTransfer));
    }

    // The export is asked for by the longest path that the server mounts: all of the URL's, or a part that begins it.
    private async ValueTask<(NfsFh3 Handle, int Port)> MountRootAsync(CancellationToken cancellationToken)
    {
        int given = Options.MountPort != 0 ? Options.MountPort : Url.MountPort;
        // Servers with one port for all, as ours, need no rpcbind.
        int port = given != 0 ? given : Url.Port;
        if (port == 0)
            port = await RequiredPortAsync(MountProgram, MountVersion, "MOUNT version 3", cancellationToken).ConfigureAwait(false);
        try
        {
            return (await MountRootAsync(port, cancellationToken).ConfigureAwait(false), port);
        }
        catch (RpcClientException exception) when (given == 0 && Url.Port != 0 && exception.Status is RpcAcceptStatus.ProgramUnavailable)
        {
            port = await RequiredPortAsync(MountProgram, MountVersion, "MOUNT version 3", cancellationToken).ConfigureAwait(false);
            return (await MountRootAsync(port, cancellationToken).ConfigureAwait(false), port);
        }
    }

    private async ValueTask<NfsFh3> MountRootAsync(int port, CancellationToken cancellationToken)
    {
        await using RpcClient client = MountClient(port);
        string path = Url.Path.Length > 1 ? Url.Path.TrimEnd('/') : "/";
        Mountstat3? first = null; // of the whole path: what the user asked for
        while (true)
        {
            MountRes3 result = await client.CallAsync<DirPath, MountRes3>(
                MountProgram, MountVersion, MountMnt, new DirPath(WireName.Encode(path)), cancellationToken).ConfigureAwait(false);
            if (result.FhsStatus == Mountstat3.Ok)
            {
                ExportPath = path;
                return new NfsFh3(result.MountInfo!.Value.Fhandle);
            }
            first ??= result.FhsStatus;
            // A file, or a path that this server mounts only from an export's root: it is walked to from there.
            int slash = path.LastIndexOf('/');
            if (result.FhsStatus is not (Mountstat3.NotDir or Mountstat3.NoEnt or Mountstat3.Acces or Mountstat3.Inval) || slash < 0 || path == "/")
                throw new NfsException("MOUNT", Url.ToString(), (NfsStatus)first);
            path = slash == 0 ? "/" : path[..slash];
        }
    }

    private RpcClient MountClient(int port, int seconds = 10) => new(new IPEndPoint(Server.Address, port), RpcTransport.Tcp, new RpcClientOptions
    {
        ServerName = Url.Host,
        Credential = Credential,
        Timeouts = RpcTimeouts.Linear(TimeSpan.FromSeconds(seconds), 0),
        IsSoft = true,
        IsSoftConnect = true,
        FromReservedPort = true,
        LocalAddress = Options.LocalAddress,
        System = System,
        Queue = Queue,
        Logger = Logger,
    });

    private async ValueTask UnmountAsync()
    {
        await using RpcClient client = MountClient(_mountPort, 2);
        try
        {
            await client.CallAsync<DirPath, XdrVoid>(
                MountProgram, MountVersion, MountUmnt, new DirPath(WireName.Encode(ExportPath)), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (Nfs3Calls.IsTransports(exception))
        {
            // A courtesy that a server which is gone does not miss.
            NfsClientLog.NotUnmounted(Logger, Url.ToString(), exception.Message);
        }
    }

    private async ValueTask<int> RequiredPortAsync(uint program, uint version, string name, CancellationToken cancellationToken)
    {
        int port = await PortOfAsync(program, version, RpcTransport.Tcp, cancellationToken).ConfigureAwait(false);
        return port != 0 ? port : throw new NfsException("mount", Url.ToString(), $"the server has no {name}");
    }

    private static class Identity
    {
        public static uint User { get; } = OperatingSystem.IsWindows() ? 65534 : GetEffectiveUser();

        public static uint Group { get; } = OperatingSystem.IsWindows() ? 65534 : GetEffectiveGroup();

        public static uint[] Groups { get; } = OperatingSystem.IsWindows() ? [] : ReadGroups();

        [DllImport("libc", EntryPoint = "geteuid")]
        private static extern uint GetEffectiveUser();

        [DllImport("libc", EntryPoint = "getegid")]
        private static extern uint GetEffectiveGroup();

        [DllImport("libc", EntryPoint = "getgroups")]
        private static extern int GetGroups(int size, uint[]? groups);

        private static uint[] ReadGroups()
        {
            var groups = new uint[Math.Max(0, GetGroups(0, null))];
            int count = GetGroups(groups.Length, groups);
            return groups[..Math.Max(0, count)];
        }
    }
}
