using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.SunRpc;

/// <summary>
/// An ONC RPC server (RFC 5531): programs behind one port number, TCP and UDP. Each call runs as a work item on the server's queue.
/// </summary>
/// <remarks>
/// Programs are added before <see cref="StartAsync"/>; a server starts once. Which errors a call gets is the RFC's; a peer that sends what
/// is no call at all is disconnected (TCP) or ignored (UDP). <see cref="StopAsync"/> drains. Members are thread-safe but for <see
/// cref="Add"/>.
/// </remarks>
[DebuggerDisplay("{_options.Name,nq}, {_connections.Count} connections")]
public sealed class RpcServer : IAsyncDisposable
{
    private const int PortAttempts = 16;
    private static readonly TimeSpan s_shortestReapInterval = TimeSpan.FromSeconds(1);

    private readonly RpcServerOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly Workqueue _queue;
    private readonly RpcDispatcher _dispatcher;
    private readonly Workqueue _housekeeping; // the reaper's own: it must run when calls fill the other one
    private readonly DelayedWork<RpcServer> _reaper;
    private readonly ReverseCalls _reverseCalls;
    private readonly MemoryBudget _budget;
    private readonly ConnectionPoller _poller;
    private readonly int _maximumConnections;
    private readonly Lock _lock = new();
    private readonly HashSet<TcpConnection> _connections = []; // _lock
    private readonly WaitQueue _ended = new(); // woken when a connection, an accept loop or a UDP socket has ended
    private readonly List<TcpTransport> _tcp = []; // filled by StartAsync
    private readonly List<UdpTransport> _udp = []; // filled by StartAsync
    private int _loops; // _lock; accept loops and UDP sockets that run
    private bool _started; // _lock
    private bool _stopping; // _lock
    private bool _isFull; // _lock; the connection limit was met, and said to the log
    private RpcbindRegistration? _registration; // set by StartAsync
    private bool _disposed;

    /// <summary>A server that does not listen yet.</summary>
    public RpcServer(RpcServerOptions? options = null)
    {
        _options = options ?? new RpcServerOptions();
        _logger = _options.Logger ?? NullLogger.Instance;
        KworkerSystem system = _options.System ?? KworkerSystem.Current;
        _clock = system.TimeProvider;
        _queue = new Workqueue(_options.Name, new WorkqueueOptions { MaxActive = _options.MaximumActiveCalls }, system);
        _dispatcher = new RpcDispatcher(_queue, new ReplyCache<RpcCall>(_options.ReplyCache, _clock), _logger);
        _budget = new MemoryBudget(_options.MaximumBytes);
        _poller = new ConnectionPoller(
            _options.Name, _options.MaximumActiveCalls, exception => RpcLog.TransportFailed(_logger, exception, "waiting for connections"));
        _maximumConnections = Math.Min(_options.MaximumConnections, DescriptorLimit.Read() / 2 ?? int.MaxValue);
        _housekeeping = Workqueue.Ordered($"{_options.Name}-reaper", system);
        _reverseCalls = new ReverseCalls(_housekeeping, _dispatcher.Pool, _clock);
        _reaper = new DelayedWork<RpcServer>(this, static server => server.Reap());
    }

    /// <summary>Where the server listens, TCP; empty before <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<IPEndPoint> TcpEndPoints => [.. _tcp.Select(transport => transport.LocalEndPoint)];

    /// <summary>Where the server listens, UDP; empty before <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<IPEndPoint> UdpEndPoints => [.. _udp.Select(transport => transport.LocalEndPoint)];

    /// <summary>The one port; 0 before <see cref="StartAsync"/>.</summary>
    public int Port => _tcp.Count > 0 ? _tcp[0].LocalEndPoint.Port : _udp.Count > 0 ? _udp[0].LocalEndPoint.Port : 0;

    /// <summary>TCP connections open now.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_lock)
                return _connections.Count;
        }
    }

    /// <summary>Our own rpcbind, if this server started it.</summary>
    internal RpcServer? BuiltInRpcbind => _registration?.BuiltIn;

    /// <summary>Bytes of requests and replies that all connections hold.</summary>
    internal long BytesHeld => _budget.Held;

    /// <summary>The programs served.</summary>
    internal IReadOnlyCollection<RpcProgram> Programs => _dispatcher.Programs;

    /// <summary>Adds a program. Only before <see cref="StartAsync"/>.</summary>
    /// <exception cref="ArgumentException">The number is another program's already.</exception>
    /// <exception cref="InvalidOperationException">The server has started.</exception>
    public void Add(RpcProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        lock (_lock)
        {
            if (_started)
                throw new InvalidOperationException($"{_options.Name} has started; programs are added before.");
            _dispatcher.Add(program);
        }
    }

    /// <summary>Listens on every address, then makes the programs known as <see cref="RpcServerOptions.Rpcbind"/> says.</summary>
    /// <exception cref="SocketException">An address or port cannot be had.</exception>
    /// <exception cref="InvalidOperationException">The server has been started before, or rpcbind is needed and there is none.</exception>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_started)
                throw new InvalidOperationException($"{_options.Name} has been started before.");
            _started = true;
        }
        await BindAsync().ConfigureAwait(false);
        foreach (TcpTransport transport in _tcp)
            _ = RunLoopAsync(AcceptAsync(transport));
        foreach (UdpTransport transport in _udp)
            _ = RunLoopAsync(transport.RunAsync());
        _housekeeping.Queue(_reaper, ReapInterval());
        IEnumerable<string> endPoints = TcpEndPoints.Select(endPoint => $"tcp {endPoint}").Concat(UdpEndPoints.Select(endPoint => $"udp {endPoint}"));
        RpcLog.Started(_logger, _options.Name, string.Join(", ", endPoints));
        if (_options.Rpcbind != RpcbindMode.None)
            _registration = await RpcbindRegistration.RegisterAsync(this, _options, _logger, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Drains: the programs are no longer known to rpcbind, no connection and no call is taken any more, those that run end and their
    /// replies are sent, connections close.
    /// </summary>
    /// <param name="cancellationToken">Ends patience: connections are then cut, and the calls that still run go on without a
    /// client.</param>
    /// <exception cref="OperationCanceledException">Patience has ended before the last call.</exception>
    public async ValueTask StopAsync(CancellationToken cancellationToken = default)
    {
        TcpConnection[] connections;
        bool first;
        lock (_lock)
        {
            first = !_stopping;
            _stopping = true;
            connections = [.. _connections];
        }
        if (first)
            await BeginDrainAsync(connections).ConfigureAwait(false);
        try
        {
            await _ended.WaitEventAsync(
                this, static server => server.HasEnded, Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (TcpConnection connection in connections)
                connection.Abort("the server stops");
            throw;
        }
        if (first && Port != 0)
            RpcLog.Stopped(_logger, _options.Name);
    }

    /// <summary>Drains without limit of time, if that has not been done, and gives the queue back.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _poller.DisposeAsync().ConfigureAwait(false);
        await _reverseCalls.StopAsync().ConfigureAwait(false);
        await _housekeeping.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask BeginDrainAsync(TcpConnection[] connections)
    {
        if (_registration is { } registration)
            await registration.DisposeAsync().ConfigureAwait(false);
        await _reaper.CancelSyncAsync().ConfigureAwait(false);
        foreach (TcpTransport transport in _tcp)
            transport.Dispose();
        foreach (UdpTransport transport in _udp)
            transport.Drain();
        foreach (TcpConnection connection in connections)
            connection.Drain();
    }

    /// <summary>An IPv4 address in its own form, not as IPv6 maps it.</summary>
    internal static IPEndPoint Unmapped(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;

    private bool HasEnded
    {
        get
        {
            lock (_lock)
                return _loops == 0 && _connections.Count == 0;
        }
    }

    // With port 0 the first socket gets a free port, and the others may find that number taken: then all are tried anew.
    private async ValueTask BindAsync()
    {
        if (_options.Sockets.Count > 0)
        {
            Adopt();
            return;
        }
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                int port = _options.Port;
                foreach (IPAddress address in _options.Addresses)
                    port = Bind(address, port);
                return;
            }
            catch (SocketException exception)
            {
                await UnbindAsync().ConfigureAwait(false);
                bool again = _options.Port == 0 && exception.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < PortAttempts;
                if (!again)
                    throw;
            }
        }
    }

    private void Adopt()
    {
        foreach (Socket socket in _options.Sockets)
        {
            if (socket.SocketType == SocketType.Stream)
                _tcp.Add(new TcpTransport(socket));
            else
                _udp.Add(new UdpTransport(socket, _dispatcher, _options, _logger));
        }
    }

    private int Bind(IPAddress address, int port)
    {
        try
        {
            if (_options.Tcp)
            {
                var transport = new TcpTransport(new IPEndPoint(address, port));
                _tcp.Add(transport);
                port = transport.LocalEndPoint.Port;
            }
            if (_options.Udp)
            {
                var transport = new UdpTransport(UdpTransport.Bind(new IPEndPoint(address, port)), _dispatcher, _options, _logger);
                _udp.Add(transport);
                port = transport.LocalEndPoint.Port;
            }
            return port;
        }
        catch (SocketException exception) when (IsWithoutIPv6(address, exception) && _tcp.Count + _udp.Count > 0)
        {
            RpcLog.AddressLeftOut(_logger, address, exception.Message);
            return port;
        }
        catch (SocketException exception)
        {
            throw new SocketException(
                (int)exception.SocketErrorCode, $"{_options.Name} cannot listen on {new IPEndPoint(address, port)}: {exception.Message}");
        }
    }

    // A machine without IPv6 serves its IPv4 loopback all the same.
    private static bool IsWithoutIPv6(IPAddress address, SocketException exception) => address.Equals(IPAddress.IPv6Loopback) &&
        exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable;

    private async ValueTask UnbindAsync()
    {
        foreach (TcpTransport transport in _tcp)
            transport.Dispose();
        foreach (UdpTransport transport in _udp)
        {
            transport.Drain();
            await transport.RunAsync().ConfigureAwait(false);
        }
        _tcp.Clear();
        _udp.Clear();
    }

    private async Task RunLoopAsync(Task loop)
    {
        lock (_lock)
            _loops++;
        await loop.ConfigureAwait(false); // none of them throws
        lock (_lock)
            _loops--;
        _ended.WakeUpAll();
    }

    private async Task AcceptAsync(TcpTransport transport)
    {
        while (true)
        {
            try
            {
                if (await transport.AcceptAsync().ConfigureAwait(false) is not { } socket)
                    return;
                _ = ServeAsync(socket);
            }
            catch (Exception exception)
            {
                lock (_lock)
                {
                    if (_stopping)
                        return;
                }
                // One connection that cannot be accepted (no descriptor left, say) does not end the listener.
                RpcLog.TransportFailed(_logger, exception, $"accepting on {transport.LocalEndPoint}");
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        TcpConnection connection;
        try
        {
            connection = new TcpConnection(socket, _dispatcher, _reverseCalls, _options, _budget, _poller, _logger, _clock);
        }
        catch (SocketException)
        {
            socket.Dispose(); // it has gone again
            return;
        }
        bool refused;
        bool newlyFull;
        lock (_lock)
        {
            bool full = _connections.Count >= _maximumConnections;
            newlyFull = full && !_isFull; // a flood of connections is not to become one of log lines
            _isFull = full;
            refused = full || _stopping;
            _connections.Add(connection);
        }
        RpcLog.Connected(_logger, connection.RemoteEndPoint);
        if (newlyFull)
            RpcLog.TooManyConnections(_logger, connection.RemoteEndPoint, _maximumConnections);
        if (refused)
            connection.Abort("the server takes no more connections");
        await connection.RunAsync().ConfigureAwait(false);
        lock (_lock)
            _connections.Remove(connection);
        _ended.WakeUpAll();
    }

    private TimeSpan ReapInterval()
    {
        TimeSpan shorter = _options.StallTimeout < _options.IdleTimeout ? _options.StallTimeout : _options.IdleTimeout;
        TimeSpan quarter = shorter / 4;
        return quarter < s_shortestReapInterval ? s_shortestReapInterval : quarter;
    }

    private void Reap()
    {
        TcpConnection[] connections;
        lock (_lock)
        {
            if (_stopping)
                return;
            connections = [.. _connections];
        }
        foreach (TcpConnection connection in connections)
            connection.Reap();
        _housekeeping.Queue(_reaper, ReapInterval());
    }
}
