using System.Net;
using System.Text;
using Kworker.Lockd.Client;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.Lockd.Tests.Nlm;
using Kworker.SunRpc;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Lockd.Tests.Client;

/// <summary>A lock client with fake time and a server that answers what the test says.</summary>
internal sealed class ClientWorld : IAsyncDisposable
{
    private readonly KworkerSystem _system;
    private int _threads; // interlocked

    private ClientWorld(ScriptedServer server, Exception? threadFault)
    {
        Server = server;
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = Time });
        Client = new NlmClient(new NlmClientOptions
        {
            CallerName = "me",
            LocalAddress = IPAddress.Loopback,
            Rpcbind = RpcbindMode.None,
            Nsm = Nsm,
            Timeouts = RpcTimeouts.Linear(TimeSpan.FromDays(1), 0), // fake time is no measure of a real connection
            System = _system,
            Logger = Log,
            RunThread = (function, host, name, system) =>
            {
                Interlocked.Increment(ref _threads);
                if (ThreadFault is { } fault)
                    throw fault;
                return StartsThreads ? Kthread.Run(function, host, name, system) : Kthread.Create(function, host, name, system);
            },
        });
        ThreadFault = threadFault;
    }

    public FakeTimeProvider Time { get; } = new();

    public ScriptedServer Server { get; }

    public TestNsm Nsm { get; } = new();

    public LogLines Log { get; } = new();

    public NlmClient Client { get; }

    public NlmClientHost Host { get; private set; } = null!;

    /// <summary>Why no thread can be made; null if one can.</summary>
    public Exception? ThreadFault { get; set; }

    /// <summary>False: threads are made, but do not get to run.</summary>
    public bool StartsThreads { get; set; } = true;

    /// <summary>Attempts to make a reclaimer's thread.</summary>
    public int Threads => Volatile.Read(ref _threads);

    public static async Task<ClientWorld> StartAsync(Exception? threadFault = null)
    {
        var world = new ClientWorld(await ScriptedServer.StartAsync(), threadFault);
        await world.Client.StartAsync();
        world.Host = world.Client.Acquire("server", new NlmServerAddress(IPAddress.Loopback, world.Server.Port));
        return world;
    }

    public NlmClientOwner Open(string file = "a", bool recovers = false) =>
        Host.OpenFile(Encoding.UTF8.GetBytes(file), new NlmOwnerOptions { Credential = s_credential, RecoverLostLocks = recovers });

    /// <summary>Takes a lock that the server grants.</summary>
    public async Task HoldAsync(NlmClientOwner owner, string file, ulong start, ulong length, LockKind kind = LockKind.Write)
    {
        Task<Nlm4Stats> locking = owner.LockAsync(kind, Range(start, length), wait: false).AsTask();
        await Server.AnswerAsync($"LOCK {file} {start}+{length} {(kind == LockKind.Write ? 'w' : 'r')}", Nlm4Stats.Granted);
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    /// <summary>Lets time go on, once the client waits for it.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        while (Volatile.Read(ref Client.Waits) == 0)
            await Task.Yield();
        Time.Advance(time);
    }

    /// <summary>The server, or somebody who says so, calls GRANTED.</summary>
    public async Task<Nlm4Stats> GrantAsync(Nlm4Lock granted, bool exclusive = true, string from = "127.0.0.1")
    {
        await using var rpc = new RpcClient(Client.EndPoints[0], RpcTransport.Tcp, new RpcClientOptions { LocalAddress = IPAddress.Parse(from) });
        Nlm4Res result = await rpc.CallAsync<Nlm4TestArgs, Nlm4Res>(
            NlmProtocol.Program, 4, (uint)NlmProcedure.Granted, new Nlm4TestArgs(new byte[] { 9 }, exclusive, granted));
        Assert.Equal([9], result.Cookie.ToArray());
        return result.Stat;
    }

    public static LockRange Range(ulong start, ulong length)
    {
        Assert.True(LockRange.TryCreate(start, length, out LockRange range));
        return range;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        await _system.DisposeAsync();
    }

    private static readonly RpcCredential s_credential = RpcCredential.Sys(0, 0, [], "me");
}
