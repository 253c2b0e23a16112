using System.Net;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Client;

/// <summary>
/// What the machine's status monitor calls when a server has rebooted: a program with a number of this process's own, so that several
/// processes of a machine, and its kernel, hear of it each.
/// </summary>
internal static class NotifyProgram
{
    private const uint FirstTransient = 0x4000_0000; // RFC 5531, 8.4
    private const int HighestReservedPort = 1023;

    public const uint Version = NlmProtocol.Version4;

    public const uint Procedure = (uint)NlmProcedure.SmNotify;

    /// <summary>The number.</summary>
    public static uint Number { get; } = FirstTransient + (uint)Environment.ProcessId;

    /// <summary>The program.</summary>
    /// <param name="notified">Takes what it is told.</param>
    /// <param name="logger">Where it says what it does not believe.</param>
    public static RpcProgram Create(Action<NlmSmNotify> notified, ILogger logger)
    {
        var program = new RpcProgram(Number, "lockd-notify");
        program.Procedure<NlmSmNotify, XdrVoid>(
            Version,
            Procedure,
            "SM_NOTIFY",
            (call, told) =>
            {
                // A program of this machine, with a port that only root gets.
                if (IPAddress.IsLoopback(call.RemoteEndPoint.Address) && call.RemoteEndPoint.Port <= HighestReservedPort)
                    notified(told);
                else
                    NlmClientLog.ForeignNotify(logger, call.RemoteEndPoint);
                return default;
            },
            RpcProcedureFlags.Idempotent);
        return program;
    }
}
