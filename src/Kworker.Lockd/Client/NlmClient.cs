using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Kworker.Lockd.Nlm;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Client;

/// <summary>
/// The client side of locking: the servers at which this process holds locks, requests that wait, and a small lock manager of its own that
/// takes GRANTED from servers. One for all mounts of a process. Thread-safe.
/// </summary>
[DebuggerDisplay("{CallerName,nq}, {_hosts.Count} servers")]
internal sealed class NlmClient : IAsyncDisposable
{
    private const int MaximumLater = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<NlmServerAddress, NlmClientHost> _hosts = []; // _lock
    private readonly HashSet<NlmClientBlock> _blocked = []; // _lock
    private readonly CancellationTokenSource _stopping = new();
    private readonly Workqueue _status; // ordered: monitoring and its end of one address do not overtake each other
    private readonly Dictionary<IPAddress, int> _monitored = []; // of _status alone: hosts at an address
    private readonly INsm? _nsm;
    private RpcServer? _rpc; // set by StartAsync
    private int _svid = RandomNumberGenerator.GetInt32(1, int.MaxValue); // interlocked
    private int _cookie = RandomNumberGenerator.GetInt32(int.MaxValue); // interlocked

    /// <summary>Waits that time would end, armed now. Interlocked.</summary>
    internal int Waits;

    /// <summary>A client that cannot be called back before <see cref="StartAsync"/>.</summary>
    public NlmClient(NlmClientOptions options)
    {
        Options = options;
        System = options.System ?? KworkerSystem.Current;
        Logger = options.Logger ?? NullLogger.Instance;
        CallerName = options.CallerName ?? Dns.GetHostName();
        CallerNameBytes = Encoding.UTF8.GetBytes(CallerName);
        Queue = new Workqueue("lockd-client", new WorkqueueOptions { Unbound = true }, System);
        Later = new Workqueue("lockd-later", new WorkqueueOptions { Unbound = true, MaxActive = MaximumLater }, System);
        _status = Workqueue.Ordered("lockd-status", System);
        PollInterval = options.PollInterval;
        _nsm = options.Nsm;
        if (_nsm is not null)
            _nsm.HostRebooted += HostRebooted;
    }

    /// <summary>What this machine calls itself to servers.</summary>
    public string CallerName { get; }

    /// <summary>Where servers call back; null before <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _rpc?.TcpEndPoints ?? [];

    /// <summary>Our own rpcbind's port; 0 if the rpcbind is the machine's, or none.</summary>
    internal int BuiltInRpcbindPort => _rpc?.BuiltInRpcbind?.Port ?? 0;

    /// <summary>The servers known now.</summary>
    public IReadOnlyList<NlmClientHost> Hosts
    {
        get
        {
            lock (_lock)
                return [.. _hosts.Values];
        }
    }

    internal NlmClientOptions Options { get; }

    internal KworkerSystem System { get; }

    internal ILogger Logger { get; }

    internal byte[] CallerNameBytes { get; }

    /// <summary>Transports, and the ends of waits: what is done on it is short.</summary>
    internal Workqueue Queue { get; }

    /// <summary>What is left to be done at servers when a caller has gone; may take as long as a server is away.</summary>
    internal Workqueue Later { get; }

    /// <summary>After how long a lock that is waited for is asked for again.</summary>
    internal TimeSpan PollInterval { get; private set; }

    /// <summary>Cancelled when the client is closed.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>The state that servers are told.</summary>
    internal int NsmState => _nsm?.State ?? 0;

    /// <summary>Listens for servers' callbacks, and makes that known to the rpcbind of this machine, unless another lock manager has.</summary>
    /// <exception cref="SocketException">It cannot listen.</exception>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        // The kernel's, say, or another process's of ours. It would be called no more if we took its place: we are not called then, and ask.
        int? other = Options.Rpcbind != RpcbindMode.Auto ? null : await LocalProgram.FindAsync(
            LocalProgram.Rpcbind(Options.LocalAddress, Options.RpcbindPort), NlmProtocol.Program, NlmProtocol.Version4, System, Logger,
            cancellationToken);
        if (other is { } port)
        {
            PollInterval = Options.GraceWait < PollInterval ? Options.GraceWait : PollInterval;
            NlmClientLog.NotOurs(Logger, port, PollInterval.TotalSeconds);
        }
        _rpc = new RpcServer(new RpcServerOptions
        {
            Name = "lockd-callback",
            Addresses = Options.LocalAddress is not { } address ? [IPAddress.Any, IPAddress.IPv6Any]
                : Options.SmNotify is not null && !IPAddress.IsLoopback(address) ? [address, IPAddress.Loopback] : [address],
            MaximumRecord = 64 << 10,
            MaximumConnections = 256,
            Rpcbind = Options.Rpcbind,
            RpcbindPort = Options.RpcbindPort,
            RpcbindAddress = LocalProgram.Rpcbind(Options.LocalAddress, Options.RpcbindPort).Address,
            System = System,
            Logger = Logger,
        });
        _rpc.Add(new NlmCallbackProgram(this).ToRpcProgram(isOurs: other is null));
        foreach (RpcProgram program in Options.Programs)
            _rpc.Add(program);
        await _rpc.StartAsync(cancellationToken);
    }

    /// <summary>A server, with a reference to it. To be given back by <see cref="Release"/>.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="server">Where it is.</param>
    public NlmClientHost Acquire(string name, NlmServerAddress server)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (!_hosts.TryGetValue(server, out NlmClientHost? host))
                _hosts.Add(server, host = new NlmClientHost(this, name, server));
            host.References++;
            return host;
        }
    }

    /// <summary>Gives a reference back; with the last one the server is monitored no more.</summary>
    public void Release(NlmClientHost host)
    {
        lock (_lock)
        {
            if (--host.References > 0 || _stopping.IsCancellationRequested)
                return;
            _hosts.Remove(host.Server);
        }
        _status.Queue(new Work<NlmClientHost>(host, static (host, _) => host.Client.EndAsync(host)));
    }

    /// <summary>Ends all waits and what the client does at servers; locks are left as they are.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        if (_nsm is not null)
            _nsm.HostRebooted -= HostRebooted;
        await _status.FlushAsync(); // servers given back before are monitored no more
        await _stopping.CancelAsync();
        if (_rpc is not null)
            await _rpc.DisposeAsync();
        foreach (NlmClientHost host in Hosts)
        {
            await host.StopReclaimingAsync();
            await host.CloseAsync();
        }
        await Later.DisposeAsync();
        await _status.DisposeAsync();
        await Queue.DisposeAsync();
    }

    internal int NewSvid()
    {
        // Random at first: the processes of this machine are one host to a server.
        int svid;
        do
            svid = Interlocked.Increment(ref _svid) & int.MaxValue;
        while (svid == 0);
        return svid;
    }

    internal byte[] NewCookie()
    {
        var cookie = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(cookie, Interlocked.Increment(ref _cookie));
        return cookie;
    }

    /// <summary>One more reference, by whoever has one.</summary>
    internal void AddReference(NlmClientHost host)
    {
        lock (_lock)
            host.References++;
    }

    /// <summary>Has the server monitored, if it is not; false if that cannot be.</summary>
    internal async ValueTask<bool> MonitorAsync(NlmClientHost host, CancellationToken cancellationToken)
    {
        if (_nsm is null || host.IsMonitored)
            return true;
        var done = new Completion();
        _status.Queue(new Work<NlmClientHost>(host, host =>
        {
            try
            {
                Monitor(host);
            }
            finally
            {
                done.Complete();
            }
        }));
        await done.WaitAsync(cancellationToken);
        if (!host.IsMonitored)
            NlmClientLog.NotMonitored(Logger, host.Name);
        return host.IsMonitored;
    }

    internal void AddBlocked(NlmClientBlock block)
    {
        lock (_lock)
            _blocked.Add(block);
    }

    internal void RemoveBlocked(NlmClientBlock block)
    {
        lock (_lock)
            _blocked.Remove(block);
    }

    /// <summary>Locks of the server that are waited for are asked for again: it has forgotten who waits.</summary>
    internal void WakeBlocked(NlmClientHost host)
    {
        foreach (NlmClientBlock block in BlockedAt(host.Address))
            block.Wake();
    }

    /// <summary>GRANTED (<c>nlmclnt_grant</c>).</summary>
    internal Nlm4Stats Granted(RpcCall call, in Nlm4TestArgs granted)
    {
        foreach (NlmClientBlock block in BlockedAt(call.RemoteEndPoint.Address))
        {
            if (block.Grant(granted))
                return Nlm4Stats.Granted;
        }
        NlmClientLog.NotWaitedFor(Logger, call.RemoteEndPoint);
        return Nlm4Stats.Denied;
    }

    /// <summary>The answer to GRANTED_MSG: a call of its own.</summary>
    internal void AnswerGranted(RpcCall call, Nlm4Res result)
    {
        IPAddress caller = call.RemoteEndPoint.Address;
        // Not to whoever calls: only to servers that we know.
        foreach (NlmClientHost host in Hosts)
        {
            if (host.Address.Equals(caller))
            {
                host.Tell(NlmProcedure.GrantedRes, result);
                return;
            }
        }
    }

    internal void Dispose(RpcClient transport) =>
        Later.Queue(new Work<RpcClient>(transport, static (transport, _) => transport.DisposeAsync()));

    private List<NlmClientBlock> BlockedAt(IPAddress address)
    {
        lock (_lock)
            return [.. _blocked.Where(block => block.Host.Address.Equals(address))];
    }

    private void HostRebooted(NsmReboot reboot)
    {
        foreach (NlmClientHost host in Hosts)
        {
            if (host.Address.Equals(reboot.Address))
                host.Rebooted(reboot.State);
        }
    }

    // On _status.
    private void Monitor(NlmClientHost host)
    {
        if (host.IsMonitored)
            return;
        using var _ = Worker.Blocking();
        int others = _monitored.GetValueOrDefault(host.Address);
        if (others == 0 && !_nsm!.Monitor(host.Name, host.Address, Options.LocalAddress))
            return;
        _monitored[host.Address] = others + 1;
        host.IsMonitored = true;
    }

    // On _status.
    private async ValueTask EndAsync(NlmClientHost host)
    {
        if (host.IsMonitored)
        {
            host.IsMonitored = false;
            int others = _monitored[host.Address] - 1;
            if (others > 0)
            {
                _monitored[host.Address] = others;
            }
            else
            {
                _monitored.Remove(host.Address);
                using (Worker.Blocking())
                    _nsm!.Unmonitor(host.Name, host.Address);
            }
        }
        await host.CloseAsync();
    }
}
