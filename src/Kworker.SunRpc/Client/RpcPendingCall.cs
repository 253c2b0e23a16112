using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>A call of ours that waits for its reply.</summary>
[DebuggerDisplay("xid {Xid}")]
internal sealed class RpcPendingCall(uint xid)
{
    private byte[]? _reply;
    private Exception? _error;

    public uint Xid { get; } = xid;

    public Completion Answered { get; } = new();

    /// <summary>The reply message; throws if the connection ended instead.</summary>
    public byte[] Reply => _error is null ? _reply! : throw new RpcClientException(_error.Message, null, _error);

    public void SetReply(byte[] reply)
    {
        _reply = reply;
        Answered.Complete();
    }

    public void SetError(Exception error)
    {
        _error = error;
        Answered.Complete();
    }
}
