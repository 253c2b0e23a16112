using System.Net;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>A lock manager on a port of the loopback, files that need not exist, and a status monitor that writes down what it is told.</summary>
internal sealed class NlmWorld : IAsyncDisposable
{
    private readonly RpcServer _rpc;
    private readonly KworkerSystem _system;
    private readonly bool _ownsSystem;

    private NlmWorld(NlmServerOptions options, KworkerSystem system, bool ownsSystem)
    {
        _system = system;
        _ownsSystem = ownsSystem;
        Table = new LockTable(new LockTableOptions { System = system });
        Server = new NlmServer(Table, Files, Grace, Nsm, options);
        _rpc = new RpcServer(new RpcServerOptions { Name = "nlm", Addresses = [IPAddress.Loopback], System = system });
        _rpc.Add(Server.ToRpcProgram(told => SmNotified = told));
    }

    public LockTable Table { get; }

    public NlmServer Server { get; }

    public GraceManagers Grace { get; } = new();

    public TestFiles Files { get; } = new();

    public TestNsm Nsm { get; } = new();

    public NlmSmNotify? SmNotified { get; private set; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, _rpc.Port);

    public static async Task<NlmWorld> StartAsync(NlmServerOptions? options = null, TimeProvider? time = null)
    {
        KworkerSystem system = time is null ? KworkerSystem.Default : new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        options ??= new NlmServerOptions();
        var world = new NlmWorld(
            new NlmServerOptions
            {
                System = system,
                MaximumHosts = options.MaximumHosts,
                MaximumNamesPerAddress = options.MaximumNamesPerAddress,
                MaximumLocks = options.MaximumLocks,
                MaximumOwnersPerHost = options.MaximumOwnersPerHost,
                MaximumBlockedPerHost = options.MaximumBlockedPerHost,
                MaximumSharesPerHost = options.MaximumSharesPerHost,
                Logger = options.Logger,
                ClientRpcbindPort = options.ClientRpcbindPort,
            },
            system,
            time is not null);
        await world._rpc.StartAsync();
        return world;
    }

    /// <summary>A client that calls itself <paramref name="name"/>.</summary>
    public NlmPeer Client(string name = "alice", uint version = NlmProtocol.Version4, RpcTransport transport = RpcTransport.Tcp) =>
        new(EndPoint, name, version, transport);

    public async ValueTask DisposeAsync()
    {
        await _rpc.DisposeAsync();
        await Server.DisposeAsync();
        await Table.DisposeAsync();
        if (_ownsSystem)
            await _system.DisposeAsync();
    }
}
