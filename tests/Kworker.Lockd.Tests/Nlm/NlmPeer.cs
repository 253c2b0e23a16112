using System.Net;
using System.Text;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>A client's lock manager as the server sees it: calls with a name and processes. Version 4's types whatever the version spoken.</summary>
internal sealed class NlmPeer(IPEndPoint server, string name, uint version, RpcTransport transport) : IAsyncDisposable
{
    private static readonly byte[] s_cookie = [1, 2, 3, 4];
    private readonly RpcClient _rpc = new(server, transport, new RpcClientOptions { IsSoft = true });

    /// <summary>The client's NSM state, as in lock calls.</summary>
    public int State { get; set; }

    public string Name => name;

    public Task<Nlm4Stats> LockAsync(int pid, ulong offset, ulong length, bool exclusive = true, bool block = false, bool reclaim = false, string file = "f") =>
        CallAsync(NlmProcedure.Lock, LockArguments(pid, offset, length, exclusive, block, reclaim, file));

    public Task<Nlm4Stats> NmLockAsync(int pid, ulong offset, ulong length, string file = "f") =>
        CallAsync(NlmProcedure.NmLock, LockArguments(pid, offset, length, exclusive: true, block: false, reclaim: false, file));

    public Task<Nlm4Stats> UnlockAsync(int pid, ulong offset, ulong length, string file = "f") =>
        IsV4
            ? CallAsync(NlmProcedure.Unlock, new Nlm4UnlockArgs(s_cookie, LockOf(pid, offset, length, file)))
            : CallAsync(NlmProcedure.Unlock, new NlmUnlockArgs(s_cookie, LockOf(pid, offset, length, file).ToV1()));

    public Task<Nlm4Stats> CancelAsync(int pid, ulong offset, ulong length, bool exclusive = true, string file = "f") =>
        IsV4
            ? CallAsync(NlmProcedure.Cancel, new Nlm4CancArgs(s_cookie, true, exclusive, LockOf(pid, offset, length, file)))
            : CallAsync(NlmProcedure.Cancel, new NlmCancArgs(s_cookie, true, exclusive, LockOf(pid, offset, length, file).ToV1()));

    /// <summary>As "Granted", or "Denied w 5 0..9".</summary>
    public async Task<string> TestAsync(int pid, ulong offset, ulong length, bool exclusive = true, string file = "f")
    {
        Nlm4Stats stat;
        Nlm4Holder holder;
        if (IsV4)
        {
            var arguments = new Nlm4TestArgs(s_cookie, exclusive, LockOf(pid, offset, length, file));
            Nlm4TestRes result = await _rpc.CallAsync<Nlm4TestArgs, Nlm4TestRes>(NlmProtocol.Program, version, (uint)NlmProcedure.Test, arguments);
            (stat, holder) = (result.Reply.Stat, result.Reply.Holder);
        }
        else
        {
            var arguments = new NlmTestArgs(s_cookie, exclusive, LockOf(pid, offset, length, file).ToV1());
            NlmTestRes result = await _rpc.CallAsync<NlmTestArgs, NlmTestRes>(NlmProtocol.Program, version, (uint)NlmProcedure.Test, arguments);
            (stat, holder) = (result.Reply.Stat, result.Reply.Holder.ToV4());
        }
        return stat == Nlm4Stats.Denied
            ? $"Denied {(holder.Exclusive ? 'w' : 'r')} {holder.Svid} {holder.Offset}+{holder.Length}{Encoding.UTF8.GetString(holder.Oh.Span)}"
            : stat.ToString();
    }

    public async Task<Nlm4Stats> ShareAsync(string owner, Fsh4Access access, Fsh4Mode mode, bool reclaim = false, bool undo = false, string file = "f")
    {
        var share = new Nlm4Share(Bytes(name), Bytes(file), Bytes(owner), mode, access);
        Nlm4ShareRes result = await _rpc.CallAsync<Nlm4ShareArgs, Nlm4ShareRes>(
            NlmProtocol.Program, version, (uint)(undo ? NlmProcedure.Unshare : NlmProcedure.Share), new Nlm4ShareArgs(s_cookie, share, reclaim));
        Assert.Equal(s_cookie, result.Cookie.ToArray());
        return result.Stat;
    }

    /// <summary>An asynchronous call about an exclusive lock, in the version's own types; its result comes as a call.</summary>
    public Task SendAsync(NlmProcedure procedure, byte[] cookie, Nlm4Lock asked) => (procedure, IsV4) switch
    {
        (NlmProcedure.LockMsg, true) => RawAsync<Nlm4LockArgs, XdrVoid>(procedure, new Nlm4LockArgs(cookie, false, true, asked, false, State)),
        (NlmProcedure.LockMsg, false) => RawAsync<NlmLockArgs, XdrVoid>(procedure, new NlmLockArgs(cookie, false, true, asked.ToV1(), false, State)),
        (NlmProcedure.CancelMsg, true) => RawAsync<Nlm4CancArgs, XdrVoid>(procedure, new Nlm4CancArgs(cookie, true, true, asked)),
        (NlmProcedure.CancelMsg, false) => RawAsync<NlmCancArgs, XdrVoid>(procedure, new NlmCancArgs(cookie, true, true, asked.ToV1())),
        (NlmProcedure.UnlockMsg, true) => RawAsync<Nlm4UnlockArgs, XdrVoid>(procedure, new Nlm4UnlockArgs(cookie, asked)),
        (NlmProcedure.UnlockMsg, false) => RawAsync<NlmUnlockArgs, XdrVoid>(procedure, new NlmUnlockArgs(cookie, asked.ToV1())),
        (NlmProcedure.TestMsg or NlmProcedure.GrantedMsg, true) => RawAsync<Nlm4TestArgs, XdrVoid>(procedure, new Nlm4TestArgs(cookie, true, asked)),
        (NlmProcedure.TestMsg or NlmProcedure.GrantedMsg, false) => RawAsync<NlmTestArgs, XdrVoid>(procedure, new NlmTestArgs(cookie, true, asked.ToV1())),
        _ => throw new ArgumentException("no asynchronous call", nameof(procedure)),
    };

    public async Task FreeAllAsync(string? of = null) =>
        await _rpc.CallAsync<Nlm4Notify, XdrVoid>(NlmProtocol.Program, version, (uint)NlmProcedure.FreeAll, new Nlm4Notify(Bytes(of ?? name), 3));

    /// <summary>Any procedure, answered by whatever type.</summary>
    public async Task<TResult> RawAsync<TArguments, TResult>(NlmProcedure procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult> => await _rpc.CallAsync<TArguments, TResult>(NlmProtocol.Program, version, (uint)procedure, arguments);

    public Nlm4Lock LockOf(int pid, ulong offset, ulong length, string file = "f") =>
        new(Bytes(name), Bytes(file), Bytes($"{pid}@{name}"), pid, offset, length);

    public ValueTask DisposeAsync() => _rpc.DisposeAsync();

    private bool IsV4 => version == NlmProtocol.Version4;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private object LockArguments(int pid, ulong offset, ulong length, bool exclusive, bool block, bool reclaim, string file)
    {
        Nlm4Lock asked = LockOf(pid, offset, length, file);
        return IsV4
            ? new Nlm4LockArgs(s_cookie, block, exclusive, asked, reclaim, State)
            : new NlmLockArgs(s_cookie, block, exclusive, asked.ToV1(), reclaim, State);
    }

    private async Task<Nlm4Stats> CallAsync(NlmProcedure procedure, object arguments)
    {
        Nlm4Res result = arguments switch
        {
            Nlm4LockArgs a => await RawAsync<Nlm4LockArgs, Nlm4Res>(procedure, a),
            NlmLockArgs a => await RawAsync<NlmLockArgs, Nlm4Res>(procedure, a),
            Nlm4UnlockArgs a => await RawAsync<Nlm4UnlockArgs, Nlm4Res>(procedure, a),
            NlmUnlockArgs a => await RawAsync<NlmUnlockArgs, Nlm4Res>(procedure, a),
            Nlm4CancArgs a => await RawAsync<Nlm4CancArgs, Nlm4Res>(procedure, a),
            NlmCancArgs a => await RawAsync<NlmCancArgs, Nlm4Res>(procedure, a),
            _ => throw new ArgumentException("no arguments of NLM", nameof(arguments)),
        };
        Assert.Equal(s_cookie, result.Cookie.ToArray());
        return result.Stat;
    }
}
