using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nlm;

/// <summary>
/// The lock manager on the wire: program 100021, versions 1, 3 and 4 (RFC 1813 appendix II, XNFS). Each procedure in its three forms (synchronous,
/// <c>_MSG</c>, <c>_RES</c>), worked on by <see cref="NlmServer"/>. Thread-safe.
/// </summary>
/// <remarks>
/// We wait for no result of asynchronous calls, since we make none: what claims to be one is read and forgotten, whatever its cookie. Nobody waits for a lock
/// here, so that GRANTED is denied.
/// </remarks>
internal sealed partial class NlmProgram(NlmServer server, NlmCallbacks callbacks, Action<NlmSmNotify>? smNotify, ILogger logger)
{
    private const RpcProcedureFlags Idempotent = RpcProcedureFlags.Idempotent;

    private delegate TResult Procedure<TArguments, TResult>(RpcCall call, in TArguments arguments);

    /// <summary>The program for an RPC server.</summary>
    public RpcProgram ToRpcProgram()
    {
        var program = new RpcProgram(NlmProtocol.Program, "nlockmgr");
        AddVersion4(program);
        AddOlder(program, NlmProtocol.Version1);
        AddOlder(program, NlmProtocol.Version3);
        foreach (uint version in (ReadOnlySpan<uint>)[NlmProtocol.Version1, NlmProtocol.Version3, NlmProtocol.Version4])
        {
            AddResults(program, version);
            program.Procedure<NlmSmNotify, XdrVoid>(version, (uint)NlmProcedure.SmNotify, "SM_NOTIFY", SmNotify, Idempotent);
        }
        AddShares(program, NlmProtocol.Version3);
        AddShares(program, NlmProtocol.Version4);
        return program;
    }

    private void AddVersion4(RpcProgram program)
    {
        const uint version = NlmProtocol.Version4;
        Add<Nlm4TestArgs, Nlm4TestRes>(program, version, NlmProcedure.Test, Test4, static (in Nlm4TestArgs a) => Failed4(a), Idempotent);
        Add<Nlm4LockArgs, Nlm4Res>(program, version, NlmProcedure.Lock, Lock4, static (in Nlm4LockArgs a) => Failed(a.Cookie));
        Add<Nlm4CancArgs, Nlm4Res>(program, version, NlmProcedure.Cancel, Cancel4, static (in Nlm4CancArgs a) => Failed(a.Cookie));
        Add<Nlm4UnlockArgs, Nlm4Res>(program, version, NlmProcedure.Unlock, Unlock4, static (in Nlm4UnlockArgs a) => Failed(a.Cookie));
        Add<Nlm4LockArgs, Nlm4Res>(program, version, NlmProcedure.NmLock, NmLock4, static (in Nlm4LockArgs a) => Failed(a.Cookie));
        Add<Nlm4TestArgs, Nlm4Res>(program, version, NlmProcedure.Granted, static (RpcCall _, in Nlm4TestArgs a) => Denied(a.Cookie), null, Idempotent);
        AddMsg<Nlm4TestArgs, Nlm4TestRes>(program, version, NlmProcedure.TestMsg, NlmProcedure.TestRes, Test4);
        AddMsg<Nlm4LockArgs, Nlm4Res>(program, version, NlmProcedure.LockMsg, NlmProcedure.LockRes, Lock4);
        AddMsg<Nlm4CancArgs, Nlm4Res>(program, version, NlmProcedure.CancelMsg, NlmProcedure.CancelRes, Cancel4);
        AddMsg<Nlm4UnlockArgs, Nlm4Res>(program, version, NlmProcedure.UnlockMsg, NlmProcedure.UnlockRes, Unlock4);
        AddMsg<Nlm4TestArgs, Nlm4Res>(program, version, NlmProcedure.GrantedMsg, NlmProcedure.GrantedRes, static (RpcCall _, in Nlm4TestArgs a) => Denied(a.Cookie));
    }

    private void AddShares(RpcProgram program, uint version)
    {
        Add<Nlm4ShareArgs, Nlm4ShareRes>(program, version, NlmProcedure.Share, Share, static (in Nlm4ShareArgs a) => new Nlm4ShareRes(a.Cookie, Nlm4Stats.Failed, 0));
        Add<Nlm4ShareArgs, Nlm4ShareRes>(program, version, NlmProcedure.Unshare, Unshare, static (in Nlm4ShareArgs a) => new Nlm4ShareRes(a.Cookie, Nlm4Stats.Failed, 0));
        Add<Nlm4Notify, XdrVoid>(program, version, NlmProcedure.FreeAll, FreeAll, null, Idempotent);
    }

    // Read, so that garbage is answered as such, and forgotten.
    private static void AddResults(RpcProgram program, uint version)
    {
        if (version == NlmProtocol.Version4)
            program.Procedure<Nlm4TestRes, XdrVoid>(version, (uint)NlmProcedure.TestRes, "TEST_RES", static (_, _) => default, Idempotent);
        else
            program.Procedure<NlmTestRes, XdrVoid>(version, (uint)NlmProcedure.TestRes, "TEST_RES", static (_, _) => default, Idempotent);
        foreach (NlmProcedure procedure in (ReadOnlySpan<NlmProcedure>)[NlmProcedure.LockRes, NlmProcedure.CancelRes, NlmProcedure.UnlockRes, NlmProcedure.GrantedRes])
            program.Procedure<Nlm4Res, XdrVoid>(version, (uint)procedure, NameOf(procedure), static (_, _) => default, Idempotent);
    }

    private delegate TResult Failure<TArguments, TResult>(in TArguments arguments);

    /// <param name="program">The program.</param>
    /// <param name="version">The version.</param>
    /// <param name="number">The procedure.</param>
    /// <param name="handler">What it does.</param>
    /// <param name="failure">What to answer when a file system that somebody plugged in has thrown; null if the handler asks none.</param>
    /// <param name="flags">What may be assumed of it.</param>
    private void Add<TArguments, TResult>(
        RpcProgram program, uint version, NlmProcedure number, Procedure<TArguments, TResult> handler, Failure<TArguments, TResult>? failure,
        RpcProcedureFlags flags = RpcProcedureFlags.None)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult> => program.Procedure<TArguments, TResult>(
        version,
        (uint)number,
        NameOf(number),
        (call, arguments) =>
        {
            try
            {
                return handler(call, arguments);
            }
            catch (Exception exception) when (failure is not null && exception is not RpcAuthException)
            {
                LockdLog.ProcedureFailed(logger, exception, NameOf(number), call.RemoteEndPoint);
                return failure(arguments);
            }
        },
        flags);

    /// <summary>The asynchronous form: answered at once with nothing, the result is sent as a call. Never from the duplicate-request cache, since a client that asks again has not got the result.</summary>
    private void AddMsg<TArguments, TResult>(
        RpcProgram program, uint version, NlmProcedure number, NlmProcedure answer, Procedure<TArguments, TResult> handler)
        where TArguments : IXdr<TArguments>
        where TResult : struct, IXdr<TResult>, INlmResult<TResult> => program.Procedure<TArguments, XdrVoid>(
        version,
        (uint)number,
        NameOf(number),
        (call, arguments) =>
        {
            TResult result = handler(call, arguments);
            callbacks.Reply(call, answer, result.WithOwnCookie()); // the call's bytes are gone when the result goes out
            return default;
        },
        Idempotent);

    private static string NameOf(NlmProcedure procedure) => procedure switch
    {
        NlmProcedure.TestMsg => "TEST_MSG",
        NlmProcedure.LockMsg => "LOCK_MSG",
        NlmProcedure.CancelMsg => "CANCEL_MSG",
        NlmProcedure.UnlockMsg => "UNLOCK_MSG",
        NlmProcedure.GrantedMsg => "GRANTED_MSG",
        NlmProcedure.TestRes => "TEST_RES",
        NlmProcedure.LockRes => "LOCK_RES",
        NlmProcedure.CancelRes => "CANCEL_RES",
        NlmProcedure.UnlockRes => "UNLOCK_RES",
        NlmProcedure.GrantedRes => "GRANTED_RES",
        NlmProcedure.NmLock => "NM_LOCK",
        NlmProcedure.FreeAll => "FREE_ALL",
        _ => procedure.ToString().ToUpperInvariant(),
    };

    private static Nlm4Res Failed(ReadOnlyMemory<byte> cookie) => new(cookie, Nlm4Stats.Failed);

    private static Nlm4TestRes Failed4(in Nlm4TestArgs arguments) => new(arguments.Cookie, new Nlm4TestReply(Nlm4Stats.Failed));

    private static Nlm4Res Denied(ReadOnlyMemory<byte> cookie) => new(cookie, Nlm4Stats.Denied);

    private Nlm4TestRes Test4(RpcCall call, in Nlm4TestArgs arguments) => new(arguments.Cookie, server.Test(call, arguments));

    private Nlm4Res Lock4(RpcCall call, in Nlm4LockArgs arguments) => new(arguments.Cookie, server.Lock(call, arguments));

    private Nlm4Res NmLock4(RpcCall call, in Nlm4LockArgs arguments) => new(arguments.Cookie, server.Lock(call, arguments, monitor: false));

    private Nlm4Res Cancel4(RpcCall call, in Nlm4CancArgs arguments) => new(arguments.Cookie, server.Cancel(call, arguments));

    private Nlm4Res Unlock4(RpcCall call, in Nlm4UnlockArgs arguments) => new(arguments.Cookie, server.Unlock(call, arguments));

    private Nlm4ShareRes Share(RpcCall call, in Nlm4ShareArgs arguments) => new(arguments.Cookie, Older(call, server.Share(call, arguments)), 0);

    private Nlm4ShareRes Unshare(RpcCall call, in Nlm4ShareArgs arguments) => new(arguments.Cookie, Older(call, server.Unshare(call, arguments)), 0);

    private static Nlm4Stats Older(RpcCall call, Nlm4Stats stat) => call.Version == NlmProtocol.Version4 ? stat : stat.ToV1();

    private XdrVoid FreeAll(RpcCall call, in Nlm4Notify arguments)
    {
        server.FreeAll(call, arguments);
        return default;
    }

    // Only this machine's NSM says such things; as Linux, by loopback and a port that is root's.
    private XdrVoid SmNotify(RpcCall call, NlmSmNotify arguments)
    {
        if (!global::System.Net.IPAddress.IsLoopback(call.RemoteEndPoint.Address) || call.RemoteEndPoint.Port >= 1024)
        {
            LockdLog.ForeignNotify(logger, call.RemoteEndPoint);
            throw new RpcAuthException(RpcAuthStatus.TooWeak);
        }
        smNotify?.Invoke(arguments);
        return default;
    }
}
