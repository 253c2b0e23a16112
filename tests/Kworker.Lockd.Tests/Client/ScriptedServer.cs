using System.Net;
using System.Text;
using System.Threading.Channels;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Client;

/// <summary>A server's lock manager whose every answer the test gives.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly RpcServer _rpc;
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();

    private ScriptedServer(int port)
    {
        _rpc = new RpcServer(new RpcServerOptions { Name = "scripted", Addresses = [IPAddress.Loopback], Port = port, Udp = false });
        var program = new RpcProgram(NlmProtocol.Program, "nlm");
        program.ProcedureAsync<Nlm4LockArgs, Nlm4Res>(
            4, (uint)NlmProcedure.Lock, "LOCK", (_, a) => AskAsync(
                $"LOCK {Text(a.Lock)} {(a.Exclusive ? 'w' : 'r')}{(a.Block ? " block" : "")}{(a.Reclaim ? " reclaim" : "")}", a.Cookie, a.Lock));
        program.ProcedureAsync<Nlm4UnlockArgs, Nlm4Res>(4, (uint)NlmProcedure.Unlock, "UNLOCK", (_, a) => AskAsync($"UNLOCK {Text(a.Lock)}", a.Cookie, a.Lock));
        program.ProcedureAsync<Nlm4CancArgs, Nlm4Res>(4, (uint)NlmProcedure.Cancel, "CANCEL", (_, a) => AskAsync($"CANCEL {Text(a.Lock)}", a.Cookie, a.Lock));
        program.ProcedureAsync<Nlm4TestArgs, Nlm4TestRes>(4, (uint)NlmProcedure.Test, "TEST", TestAsync);
        program.Procedure<Nlm4Res, XdrVoid>(4, (uint)NlmProcedure.GrantedRes, "GRANTED_RES", (_, a) =>
        {
            _calls.Writer.TryWrite(new Call($"GRANTED_RES {Convert.ToHexString(a.Cookie.Span)} {a.Stat}", default));
            return default;
        });
        _rpc.Add(program);
    }

    public int Port => _rpc.Port;

    public static async Task<ScriptedServer> StartAsync(int port = 0)
    {
        var server = new ScriptedServer(port);
        await server._rpc.StartAsync();
        return server;
    }

    /// <summary>The next call, which must be one of these: "LOCK a 0+10 w block".</summary>
    public async Task<Call> NextAsync(params string[] expected)
    {
        Call call = await _calls.Reader.ReadAsync();
        Assert.Contains(call.Text, expected);
        return call;
    }

    /// <summary>Whether there is a call that nobody has looked at.</summary>
    public bool HasMore => _calls.Reader.TryPeek(out _);

    /// <summary>The next call, which must be this one; answered.</summary>
    public async Task<Call> AnswerAsync(string expected, Nlm4Stats answer)
    {
        Call call = await NextAsync(expected);
        call.Answer(answer);
        return call;
    }

    public ValueTask DisposeAsync() => _rpc.DisposeAsync();

    private async ValueTask<Nlm4Res> AskAsync(string text, ReadOnlyMemory<byte> cookie, Nlm4Lock asked)
    {
        byte[] kept = cookie.ToArray();
        var call = new Call(text, asked with { CallerName = asked.CallerName.ToArray(), Fh = asked.Fh.ToArray(), Oh = asked.Oh.ToArray() });
        _calls.Writer.TryWrite(call);
        return new Nlm4Res(kept, await call.Answered);
    }

    private async ValueTask<Nlm4TestRes> TestAsync(RpcCall call, Nlm4TestArgs arguments)
    {
        Nlm4Res result = await AskAsync($"TEST {Text(arguments.Lock)} {(arguments.Exclusive ? 'w' : 'r')}", arguments.Cookie, arguments.Lock);
        return new Nlm4TestRes(result.Cookie, new Nlm4TestReply(result.Stat, new Nlm4Holder(true, 4711, default, 5, 0)));
    }

    private static string Text(Nlm4Lock asked) => $"{Encoding.UTF8.GetString(asked.Fh.Span)} {asked.Offset}+{asked.Length}";

    /// <summary>A call that waits for its answer.</summary>
    internal sealed class Call(string text, Nlm4Lock asked)
    {
        private readonly TaskCompletionSource<Nlm4Stats> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Text => text;

        public Nlm4Lock Asked => asked;

        public Task<Nlm4Stats> Answered => _answer.Task;

        public void Answer(Nlm4Stats stat) => _answer.SetResult(stat);
    }
}
