using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>How a server listens, and the bounds of what clients may cost it. Not changed once the server has been made of it.</summary>
public sealed class RpcServerOptions
{
    /// <summary>Names the server in logs and its work queue's threads.</summary>
    public string Name { get; set; } = "rpc";

    /// <summary>The addresses to listen on. Loopback by default: AUTH_SYS trusts the client.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; set; } = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <summary>The port for every address and both transports; 0 takes one that is free on all of them.</summary>
    public int Port { get; set; }

    /// <summary>
    /// Sockets that somebody else has bound, a service manager for one: TCP sockets and UDP sockets. They are served in place of own ones, whatever <see cref="Addresses"/>,
    /// <see cref="Port"/>, <see cref="Tcp"/> and <see cref="Udp"/> say, and are the server's from its start on.
    /// </summary>
    public IReadOnlyList<Socket> Sockets { get; set; } = [];

    /// <summary>Whether TCP is served.</summary>
    public bool Tcp { get; set; } = true;

    /// <summary>Whether UDP is served.</summary>
    public bool Udp { get; set; } = true;

    /// <summary>Bytes of the longest record, request or reply, over TCP. A client that claims more is disconnected.</summary>
    public int MaximumRecord { get; set; } = (2 << 20) + 4096;

    /// <summary>
    /// TCP connections open at once; more are closed as they come. Half the descriptors that the process may have is the limit in any
    /// case.
    /// </summary>
    public int MaximumConnections { get; set; } = 10_000;

    /// <summary>Calls of one TCP connection that may be in flight; no more are read meanwhile.</summary>
    public int MaximumCallsPerConnection { get; set; } = 128;

    /// <summary>
    /// Bytes of requests and replies of one TCP connection in flight, past which no more is read. The last call may exceed it by its own
    /// length.
    /// </summary>
    public long MaximumBytesPerConnection { get; set; } = 4 << 20;

    /// <summary>
    /// Bytes of requests and replies of all TCP connections in flight, past which connections that hold more than 64 KiB pause. Unfinished
    /// records count once they are longer than that.
    /// </summary>
    public long MaximumBytes { get; set; } = 512 << 20;

    /// <summary>Calls over one UDP socket that may be in flight; the kernel drops what does not fit its buffer meanwhile.</summary>
    public int MaximumUdpCalls { get; set; } = 256;

    /// <summary>Calls that run at once (the work queue's <see cref="WorkqueueOptions.MaxActive"/>).</summary>
    public int MaximumActiveCalls { get; set; } = 256;

    /// <summary>How long a TCP connection without calls is kept.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a client may stand still inside a record, or without reading its replies, before it is disconnected.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The bounds of the duplicate-request cache.</summary>
    public ReplyCacheOptions ReplyCache { get; set; } = new();

    /// <summary>Where the programs are registered.</summary>
    public RpcbindMode Rpcbind { get; set; } = RpcbindMode.None;

    /// <summary>The port that rpcbind has, or that ours takes.</summary>
    public int RpcbindPort { get; set; } = 111;

    /// <summary>The address at which this machine's rpcbind is asked.</summary>
    internal IPAddress RpcbindAddress { get; set; } = IPAddress.Loopback;

    /// <summary>The system whose workers run the calls; null for the current one.</summary>
    public KworkerSystem? System { get; set; }

    /// <summary>Where the server says what happens; null for nowhere.</summary>
    public ILogger? Logger { get; set; }
}
