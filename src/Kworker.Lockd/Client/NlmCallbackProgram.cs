using System.Net;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Client;

/// <summary>
/// What a client's lock manager answers: program 100021; in version 4 GRANTED and GRANTED_MSG, and in one of this process's own what the
/// machine's status monitor says.
/// </summary>
/// <remarks>
/// <c>rpc.statd</c> calls no other program than 100021, but any version of it: so several processes of a machine, and its kernel, hear of a
/// reboot each.
/// </remarks>
internal sealed class NlmCallbackProgram(NlmClient client)
{
    private const uint Version = NlmProtocol.Version4;
    private const uint FirstNotifyVersion = 0x4000_0000;
    private const int HighestReservedPort = 1023;

    /// <summary>The version that the machine's status monitor is to call.</summary>
    public static uint NotifyVersion { get; } = FirstNotifyVersion + (uint)Environment.ProcessId;

    /// <param name="isOurs">Whether servers call us: not if something else on the machine is version 4.</param>
    public RpcProgram ToRpcProgram(bool isOurs)
    {
        var program = new RpcProgram(NlmProtocol.Program, "nlockmgr");
        if (isOurs)
        {
            program.Procedure<Nlm4TestArgs, Nlm4Res>(Version, (uint)NlmProcedure.Granted, "GRANTED", (call, arguments) => Granted(call, arguments));
            program.Procedure<Nlm4TestArgs, XdrVoid>(
                Version,
                (uint)NlmProcedure.GrantedMsg,
                "GRANTED_MSG",
                (call, arguments) =>
                {
                    client.AnswerGranted(call, Granted(call, arguments));
                    return default;
                });
        }
        if (client.Options.SmNotify is not null)
            program.Procedure<NlmSmNotify, XdrVoid>(NotifyVersion, (uint)NlmProcedure.SmNotify, "SM_NOTIFY", SmNotify, RpcProcedureFlags.Idempotent);
        return program;
    }

    private Nlm4Res Granted(RpcCall call, in Nlm4TestArgs arguments) => new(arguments.Cookie, client.Granted(call, arguments));

    private XdrVoid SmNotify(RpcCall call, NlmSmNotify told)
    {
        // A program of this machine, with a port that only root gets.
        if (IPAddress.IsLoopback(call.RemoteEndPoint.Address) && call.RemoteEndPoint.Port <= HighestReservedPort)
            client.Options.SmNotify!(told);
        else
            NlmClientLog.ForeignNotify(client.Logger, call.RemoteEndPoint);
        return default;
    }
}
