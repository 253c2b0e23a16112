namespace Kworker.SunRpc;

/// <summary>Writes what stands before a reply's results, and the replies that have none (RFC 5531, 9).</summary>
internal static class RpcReply
{
    /// <summary>MSG_ACCEPTED with the verifier AUTH_NONE; the results of SUCCESS, if any, follow.</summary>
    public static void WriteAccepted(XdrWriter writer, uint xid, RpcAcceptStatus status)
    {
        writer.WriteUInt32(xid);
        writer.WriteUInt32(RpcMessageConstants.Reply);
        writer.WriteUInt32(RpcMessageConstants.Accepted);
        writer.WriteUInt32((uint)RpcAuthFlavor.None);
        writer.WriteUInt32(0);
        writer.WriteUInt32((uint)status);
    }

    /// <summary>MSG_ACCEPTED, PROG_MISMATCH, with the versions that are there.</summary>
    public static void WriteProgramMismatch(XdrWriter writer, uint xid, uint low, uint high)
    {
        WriteAccepted(writer, xid, RpcAcceptStatus.ProgramMismatch);
        writer.WriteUInt32(low);
        writer.WriteUInt32(high);
    }

    /// <summary>MSG_DENIED, RPC_MISMATCH: version 2 is all that there is.</summary>
    public static void WriteRpcMismatch(XdrWriter writer, uint xid)
    {
        writer.WriteUInt32(xid);
        writer.WriteUInt32(RpcMessageConstants.Reply);
        writer.WriteUInt32(RpcMessageConstants.Denied);
        writer.WriteUInt32(RpcMessageConstants.RpcMismatch);
        writer.WriteUInt32(RpcMessageConstants.RpcVersion);
        writer.WriteUInt32(RpcMessageConstants.RpcVersion);
    }

    /// <summary>MSG_DENIED, AUTH_ERROR.</summary>
    public static void WriteAuthError(XdrWriter writer, uint xid, RpcAuthStatus status)
    {
        writer.WriteUInt32(xid);
        writer.WriteUInt32(RpcMessageConstants.Reply);
        writer.WriteUInt32(RpcMessageConstants.Denied);
        writer.WriteUInt32(RpcMessageConstants.AuthError);
        writer.WriteUInt32((uint)status);
    }
}
