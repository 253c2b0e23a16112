namespace Kworker.SunRpc;

/// <summary>What carries a call. The values are the protocol numbers that rpcbind version 2 uses.</summary>
public enum RpcTransport
{
    /// <summary>TCP with record marking (RFC 5531, 11).</summary>
    Tcp = 6,

    /// <summary>UDP, a call a datagram.</summary>
    Udp = 17,
}
