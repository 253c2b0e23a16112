using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>A listening TCP socket.</summary>
[DebuggerDisplay("{LocalEndPoint}")]
internal sealed class TcpTransport : IDisposable
{
    private const int Backlog = 512;

    private readonly Socket _listener;
    private volatile bool _isClosed;

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public TcpTransport(IPEndPoint endPoint)
        : this(Bind(endPoint))
    {
    }

    /// <summary>Accepts on a socket that somebody has bound; it is this transport's from here on.</summary>
    /// <exception cref="SocketException">It cannot listen.</exception>
    public TcpTransport(Socket bound)
    {
        _listener = bound;
        try
        {
            bound.Listen(Backlog);
            LocalEndPoint = (IPEndPoint)bound.LocalEndPoint!;
        }
        catch
        {
            bound.Dispose();
            throw;
        }
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>The next connection, which never blocks; null once the listener is closed.</summary>
    public async ValueTask<Socket?> AcceptAsync()
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await _listener.AcceptAsync().ConfigureAwait(false);
                accepted.Blocking = false;
                accepted.NoDelay = true;
                return accepted;
            }
            catch (Exception exception) when (_isClosed && exception is SocketException or ObjectDisposedException)
            {
                accepted?.Dispose();
                return null;
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // This one has gone again.
                accepted?.Dispose();
            }
        }
    }

    /// <summary>Accepts no more; the connections that are there stay.</summary>
    public void Dispose()
    {
        _isClosed = true;
        _listener.Dispose();
    }

    private static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Each address is bound for itself: an IPv6 socket that takes IPv4 along would collide with the IPv4 one.
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
