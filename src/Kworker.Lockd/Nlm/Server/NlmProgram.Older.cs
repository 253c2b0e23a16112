using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// Versions 1 and 3: the same in 32 bits.
internal sealed partial class NlmProgram
{
    private void AddOlder(RpcProgram program, uint version)
    {
        Add<NlmTestArgs, NlmTestRes>(program, version, NlmProcedure.Test, Test1, static (in NlmTestArgs a) => new NlmTestRes(a.Cookie, new NlmTestReply(Nlm4Stats.DeniedNoLocks)), Idempotent);
        Add<NlmLockArgs, Nlm4Res>(program, version, NlmProcedure.Lock, Lock1, static (in NlmLockArgs a) => Failed1(a.Cookie));
        Add<NlmCancArgs, Nlm4Res>(program, version, NlmProcedure.Cancel, Cancel1, static (in NlmCancArgs a) => Failed1(a.Cookie));
        Add<NlmUnlockArgs, Nlm4Res>(program, version, NlmProcedure.Unlock, Unlock1, static (in NlmUnlockArgs a) => Failed1(a.Cookie));
        Add<NlmTestArgs, Nlm4Res>(program, version, NlmProcedure.Granted, static (RpcCall _, in NlmTestArgs a) => Denied(a.Cookie), null, Idempotent);
        AddMsg<NlmTestArgs, NlmTestRes>(program, version, NlmProcedure.TestMsg, NlmProcedure.TestRes, Test1);
        AddMsg<NlmLockArgs, Nlm4Res>(program, version, NlmProcedure.LockMsg, NlmProcedure.LockRes, Lock1);
        AddMsg<NlmCancArgs, Nlm4Res>(program, version, NlmProcedure.CancelMsg, NlmProcedure.CancelRes, Cancel1);
        AddMsg<NlmUnlockArgs, Nlm4Res>(program, version, NlmProcedure.UnlockMsg, NlmProcedure.UnlockRes, Unlock1);
        AddMsg<NlmTestArgs, Nlm4Res>(program, version, NlmProcedure.GrantedMsg, NlmProcedure.GrantedRes, static (RpcCall _, in NlmTestArgs a) => Denied(a.Cookie));
        if (version == NlmProtocol.Version3)
            Add<NlmLockArgs, Nlm4Res>(program, version, NlmProcedure.NmLock, NmLock1, static (in NlmLockArgs a) => Failed1(a.Cookie));
    }

    private static Nlm4Res Failed1(ReadOnlyMemory<byte> cookie) => new(cookie, Nlm4Stats.DeniedNoLocks);

    private static Nlm4LockArgs ToV4(in NlmLockArgs a) => new(a.Cookie, a.Block, a.Exclusive, a.Lock.ToV4(), a.Reclaim, a.State);

    private NlmTestRes Test1(RpcCall call, in NlmTestArgs arguments)
    {
        Nlm4TestReply reply = server.Test(call, new Nlm4TestArgs(arguments.Cookie, arguments.Exclusive, arguments.Lock.ToV4()));
        return new NlmTestRes(arguments.Cookie, new NlmTestReply(reply.Stat.ToV1(), reply.Holder.ToV1()));
    }

    private Nlm4Res Lock1(RpcCall call, in NlmLockArgs arguments) => new(arguments.Cookie, server.Lock(call, ToV4(arguments)).ToV1());

    private Nlm4Res NmLock1(RpcCall call, in NlmLockArgs arguments) => new(arguments.Cookie, server.Lock(call, ToV4(arguments), monitor: false).ToV1());

    private Nlm4Res Cancel1(RpcCall call, in NlmCancArgs arguments) => new(
        arguments.Cookie,
        server.Cancel(call, new Nlm4CancArgs(arguments.Cookie, arguments.Block, arguments.Exclusive, arguments.Lock.ToV4())).ToV1());

    private Nlm4Res Unlock1(RpcCall call, in NlmUnlockArgs arguments) => new(
        arguments.Cookie, server.Unlock(call, new Nlm4UnlockArgs(arguments.Cookie, arguments.Lock.ToV4())).ToV1());
}
