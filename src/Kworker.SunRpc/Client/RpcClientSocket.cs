using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>Makes a client's sockets: connected, from a reserved port if asked and allowed.</summary>
internal static class RpcClientSocket
{
    private const int HighestReservedPort = 1023;
    private const int LowestReservedPort = 665; // Linux's lowest: below, well-known servers live
    private const int TcpUserTimeout = 18; // TCP_USER_TIMEOUT of Linux

    /// <param name="server">Where to.</param>
    /// <param name="transport">Over what.</param>
    /// <param name="fromReservedPort">Whether to try ports below 1024 first.</param>
    /// <param name="lastPort">The port of the connection before this one: tried first. 0 for none.</param>
    /// <param name="localAddress">The address to call from; null for the one that the route gives.</param>
    /// <param name="timeouts">After which a peer that is gone is found out.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async ValueTask<Socket> ConnectAsync(
        IPEndPoint server, RpcTransport transport, bool fromReservedPort, int lastPort, IPAddress? localAddress, RpcTimeouts timeouts,
        CancellationToken cancellationToken)
    {
        foreach (int port in fromReservedPort ? Ports(lastPort) : [0])
        {
            Socket socket = Make(server.AddressFamily, transport, timeouts);
            try
            {
                IPAddress any = server.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
                if (port > 0 || localAddress is not null)
                    socket.Bind(new IPEndPoint(localAddress ?? any, port));
                await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException exception) when (port > 0 && IsPortsFault(exception.SocketErrorCode))
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }

    // AccessDenied with each of them if they are not for us: cheap, and the last is an ordinary one.
    private static IEnumerable<int> Ports(int last)
    {
        if (last is >= LowestReservedPort and <= HighestReservedPort)
            yield return last;
        int count = HighestReservedPort - LowestReservedPort + 1;
        int start = Random.Shared.Next(count);
        for (int i = 0; i < count; i++)
            yield return LowestReservedPort + ((start + i) % count);
        yield return 0;
    }

    private static bool IsPortsFault(SocketError error) =>
        error is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable or SocketError.AccessDenied;

    private static Socket Make(AddressFamily family, RpcTransport transport, RpcTimeouts timeouts)
    {
        if (transport == RpcTransport.Udp)
            return new Socket(family, SocketType.Dgram, ProtocolType.Udp);
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // As xs_tcp_set_socket_timeouts: a peer that vanished without a word is found out by keep-alive, or by what it does not confirm.
            int seconds = (int)Math.Clamp(timeouts.Initial.TotalSeconds, 1, 3600);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, seconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Math.Max(1, timeouts.Retransmissions + 1));
            if (OperatingSystem.IsLinux())
            {
                Span<byte> milliseconds = stackalloc byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(
                    milliseconds, (int)Math.Clamp(timeouts.Initial.TotalMilliseconds * (timeouts.Retransmissions + 1), 1000, int.MaxValue));
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, milliseconds);
            }
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
