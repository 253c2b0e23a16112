using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Kworker.SunRpc;

/// <summary>
/// A listening TCP socket and the connections that it accepts. The one type that knows Kestrel; its socket layer runs on the .NET thread
/// pool.
/// </summary>
[DebuggerDisplay("{LocalEndPoint}")]
internal sealed class TcpTransport : IAsyncDisposable
{
    private readonly IConnectionListener _listener;

    private TcpTransport(IConnectionListener listener) => _listener = listener;

    public IPEndPoint LocalEndPoint => (IPEndPoint)_listener.EndPoint;

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static ValueTask<TcpTransport> BindAsync(IPEndPoint endPoint, CancellationToken cancellationToken) => ListenAsync(endPoint, Bind, cancellationToken);

    /// <summary>Accepts on a socket that somebody else has bound; it is this transport's from here on.</summary>
    public static ValueTask<TcpTransport> AdoptAsync(Socket socket, CancellationToken cancellationToken) =>
        ListenAsync((IPEndPoint)socket.LocalEndPoint!, _ => socket, cancellationToken);

    private static async ValueTask<TcpTransport> ListenAsync(IPEndPoint endPoint, Func<EndPoint, Socket> bind, CancellationToken cancellationToken)
    {
        var options = new SocketTransportOptions
        {
            // Our reader only takes records off and queues work, so it may run where the bytes came in; and a worker sends its replies
            // itself.
            UnsafePreferInlineScheduling = true,
            // What waits here is not counted by us; a reader that goes on takes it at once.
            MaxReadBufferSize = 64 << 10,
            MaxWriteBufferSize = 64 << 10,
            CreateBoundListenSocket = bind,
        };
        var factory = new SocketTransportFactory(Options.Create(options), NullLoggerFactory.Instance);
        try
        {
            return new TcpTransport(await factory.BindAsync(endPoint, cancellationToken).ConfigureAwait(false));
        }
        catch (AddressInUseException inUse) when (inUse.InnerException is SocketException cause)
        {
            throw cause;
        }
    }

    /// <summary>The next connection; null once the listener is closed.</summary>
    public async ValueTask<Channel?> AcceptAsync()
    {
        ConnectionContext? context = await _listener.AcceptAsync().ConfigureAwait(false);
        return context is null ? null : new Channel(context);
    }

    /// <summary>Accepts no more; the connections that are there stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.UnbindAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
    }

    private static Socket Bind(EndPoint endPoint)
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

    /// <summary>One accepted connection.</summary>
    [DebuggerDisplay("{RemoteEndPoint}")]
    internal sealed class Channel(ConnectionContext context) : IAsyncDisposable
    {
        public PipeReader Input => context.Transport.Input;

        public PipeWriter Output => context.Transport.Output;

        public IPEndPoint RemoteEndPoint { get; } = (IPEndPoint)context.RemoteEndPoint!;

        public IPEndPoint LocalEndPoint { get; } = (IPEndPoint)context.LocalEndPoint!;

        /// <summary>Ends the connection at once; what reads or writes it sees it end.</summary>
        public void Abort(string reason) => context.Abort(new ConnectionAbortedException(reason));

        /// <summary>Sends what was written, then closes.</summary>
        public async ValueTask DisposeAsync()
        {
            await Output.CompleteAsync().ConfigureAwait(false);
            await Input.CompleteAsync().ConfigureAwait(false);
            await context.DisposeAsync().ConfigureAwait(false);
        }
    }
}
