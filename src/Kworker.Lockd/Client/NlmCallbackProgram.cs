using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Client;

/// <summary>What a client's lock manager answers: program 100021, version 4, GRANTED and GRANTED_MSG.</summary>
internal sealed class NlmCallbackProgram(NlmClient client)
{
    private const uint Version = NlmProtocol.Version4;

    public RpcProgram ToRpcProgram()
    {
        var program = new RpcProgram(NlmProtocol.Program, "nlockmgr");
        program.Procedure<Nlm4TestArgs, Nlm4Res>(
            Version, (uint)NlmProcedure.Granted, "GRANTED", (call, arguments) => Granted(call, arguments));
        program.Procedure<Nlm4TestArgs, XdrVoid>(
            Version,
            (uint)NlmProcedure.GrantedMsg,
            "GRANTED_MSG",
            (call, arguments) =>
            {
                client.AnswerGranted(call, Granted(call, arguments));
                return default;
            });
        return program;
    }

    private Nlm4Res Granted(RpcCall call, in Nlm4TestArgs arguments) => new(arguments.Cookie, client.Granted(call, arguments));
}
