using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>A client's own lock manager behind its own rpcbind: takes GRANTED and results of asynchronous calls, and writes them down.</summary>
internal sealed class ClientMachine : IAsyncDisposable
{
    private readonly RpcServer _rpc;
    private readonly ConcurrentQueue<string> _said = new();
    private readonly Completion _more = new();

    private ClientMachine(bool knowsNlm)
    {
        _rpc = new RpcServer(new RpcServerOptions
        {
            Name = "client",
            Addresses = [IPAddress.Loopback],
            Rpcbind = RpcbindMode.BuiltIn,
            RpcbindPort = 0,
        });
        var program = new RpcProgram(knowsNlm ? NlmProtocol.Program : 0x20000001, "nlm");
        foreach (uint version in (uint[])[1, 3])
        {
            program.Procedure<NlmTestArgs, Nlm4Res>(version, (uint)NlmProcedure.Granted, "GRANTED", (_, a) => Granted(version, a.Cookie, a.Exclusive, a.Lock.ToV4()));
            program.Procedure<NlmTestRes, XdrVoid>(version, (uint)NlmProcedure.TestRes, "TEST_RES", (_, a) => Result(version, NlmProcedure.TestRes, a.Cookie, a.Reply.Stat));
        }
        program.Procedure<Nlm4TestArgs, Nlm4Res>(4, (uint)NlmProcedure.Granted, "GRANTED", (_, a) => Granted(4, a.Cookie, a.Exclusive, a.Lock));
        program.Procedure<Nlm4TestRes, XdrVoid>(4, (uint)NlmProcedure.TestRes, "TEST_RES", (_, a) => Result(4, NlmProcedure.TestRes, a.Cookie, a.Reply.Stat));
        foreach (NlmProcedure procedure in (NlmProcedure[])[NlmProcedure.LockRes, NlmProcedure.UnlockRes, NlmProcedure.CancelRes, NlmProcedure.GrantedRes])
        {
            foreach (uint version in (uint[])[1, 3, 4])
                program.Procedure<Nlm4Res, XdrVoid>(version, (uint)procedure, procedure.ToString(), (_, a) => Result(version, procedure, a.Cookie, a.Stat));
        }
        _rpc.Add(program);
    }

    /// <summary>Its rpcbind's port.</summary>
    public int RpcbindPort => _rpc.BuiltInRpcbind!.Port;

    /// <summary>What it answers to GRANTED.</summary>
    public Func<Nlm4Stats> Answer { get; set; } = () => Nlm4Stats.Granted;

    public static async Task<ClientMachine> StartAsync(bool knowsNlm = true)
    {
        var machine = new ClientMachine(knowsNlm);
        await machine._rpc.StartAsync();
        return machine;
    }

    /// <summary>The next thing it was told: "GRANTED v4 f 7@alice w 0+10", "LockRes v4 Granted 01020304".</summary>
    public async Task<string> NextAsync()
    {
        await _more.WaitAsync();
        Assert.True(_said.TryDequeue(out string? said));
        return said;
    }

    /// <summary>Whether it was told something that nobody has asked for.</summary>
    public bool HasMore => !_said.IsEmpty;

    public ValueTask DisposeAsync() => _rpc.DisposeAsync();

    private Nlm4Res Granted(uint version, ReadOnlyMemory<byte> cookie, bool exclusive, Nlm4Lock granted)
    {
        Nlm4Stats answer = Answer();
        Say($"GRANTED v{version} {Text(granted.Fh)} {Text(granted.Oh)} {(exclusive ? 'w' : 'r')} {granted.Offset}+{granted.Length}");
        return new Nlm4Res(cookie, answer);
    }

    private XdrVoid Result(uint version, NlmProcedure procedure, ReadOnlyMemory<byte> cookie, Nlm4Stats stat)
    {
        Say($"{procedure} v{version} {stat} {Convert.ToHexString(cookie.Span)}");
        return default;
    }

    private void Say(string what)
    {
        _said.Enqueue(what);
        _more.Complete();
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
