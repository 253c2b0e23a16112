namespace Kworker.SunRpc;

/// <summary>Where a call came from and its reply goes: a TCP connection, or a UDP socket.</summary>
internal abstract class RpcPeer
{
    /// <summary>The connection that it is; null for a UDP socket.</summary>
    public virtual RpcConnection? Handle => null;

    /// <summary>Sends the call's reply and recycles the call. Called by the worker that ran it; does not block on the network.</summary>
    public abstract void Answer(RpcCall call);

    /// <summary>Recycles the call without a reply.</summary>
    public abstract void Discard(RpcCall call);

    /// <summary>Recycles a message that was no call; what to make of a peer that sends such is the transport's business.</summary>
    public abstract void Refuse(RpcCall call);
}
