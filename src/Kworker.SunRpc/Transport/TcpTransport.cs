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
    {
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Each address is bound for itself: an IPv6 socket that takes IPv4 along would collide with the IPv4 one.
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                _listener.DualMode = false;
            _listener.Bind(endPoint);
            _listener.Listen(Backlog);
            LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        }
        catch
        {
            _listener.Dispose();
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
}
