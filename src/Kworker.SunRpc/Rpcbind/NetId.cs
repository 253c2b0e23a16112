using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>The names of transports (RFC 5665, 5.1.1).</summary>
internal static class NetId
{
    public const string Tcp = "tcp";
    public const string Udp = "udp";
    public const string Tcp6 = "tcp6";
    public const string Udp6 = "udp6";

    public static string Of(RpcTransport transport, AddressFamily family) => (transport, family) switch
    {
        (RpcTransport.Tcp, AddressFamily.InterNetworkV6) => Tcp6,
        (RpcTransport.Udp, AddressFamily.InterNetworkV6) => Udp6,
        (RpcTransport.Udp, _) => Udp,
        _ => Tcp,
    };

    /// <summary>The address family that the name stands for; null if it is none of the four.</summary>
    public static AddressFamily? Family(string netId) => netId switch
    {
        Tcp or Udp => AddressFamily.InterNetwork,
        Tcp6 or Udp6 => AddressFamily.InterNetworkV6,
        _ => null,
    };

    /// <summary>The transport that the name stands for.</summary>
    public static RpcTransport Transport(string netId) => netId is Udp or Udp6 ? RpcTransport.Udp : RpcTransport.Tcp;

    /// <summary>The IPv4 name for a protocol number of version 2; null if it is neither TCP nor UDP.</summary>
    public static string? OfProtocol(uint protocol) => protocol switch
    {
        (uint)RpcTransport.Tcp => Tcp,
        (uint)RpcTransport.Udp => Udp,
        _ => null,
    };
}
