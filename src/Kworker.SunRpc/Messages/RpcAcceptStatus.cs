namespace Kworker.SunRpc;

/// <summary>What became of a call that was accepted: <c>accept_stat</c> (RFC 5531, 9).</summary>
internal enum RpcAcceptStatus
{
    Success = 0,
    ProgramUnavailable = 1,
    ProgramMismatch = 2,
    ProcedureUnavailable = 3,
    GarbageArguments = 4,
    SystemError = 5,
}
