using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>
/// One TCP connection of the server. Whoever reads it takes records off the input: a call that came alone it runs itself, many become a work item
/// each. What ends calls puts the replies into a list, which whoever finds nobody sending writes out: what became ready meanwhile goes along.
/// </summary>
/// <remarks>
/// <para>In flight is every call from the moment it was read until its reply has been taken by the socket, or it was dropped. The reader
/// pauses while the calls in flight, or the bytes of their requests and replies, are at their bounds: a peer that does not read its
/// replies is soon not read from either, and holds no more than those bounds. It pauses, too, while it holds more than a little and all
/// connections together hold too much (<see cref="MemoryBudget"/>). An idle connection costs no thread and no buffer.</para>
/// <para>Reading and sending are a partial file each.</para>
/// </remarks>
[DebuggerDisplay("{RemoteEndPoint}, {_inFlight} in flight")]
internal sealed partial class TcpConnection : RpcPeer, IDisposable
{
    private const int RecordMark = 4;

    private readonly RpcDispatcher _dispatcher;
    private readonly ReverseCalls _reverseCalls;
    private readonly RpcServerOptions _options;
    private readonly MemoryBudget _budget;
    private readonly ConnectionPoller _poller;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly WaitQueue _progress = new(); // woken when calls have left
    private readonly Lock _lock = new();
    private volatile bool _broken; // replies cannot be sent any more
    private int _inFlight; // _lock
    private long _bytesInFlight; // _lock; of requests, and of replies that are ready
    private volatile bool _draining;
    private volatile string? _abortReason; // the first that was given
    private bool _closed; // _lock; nothing is read any more, so no call of ours is sent
    private volatile bool _calledBack; // a call of ours was sent: replies are then no fault of the client's
    private long _lastProgress; // time stamp of the last bytes in or out; written by reader and sender, a torn order does no harm

    public TcpConnection(
        Socket socket, RpcDispatcher dispatcher, ReverseCalls reverseCalls, RpcServerOptions options, MemoryBudget budget,
        ConnectionPoller poller, ILogger logger, TimeProvider clock)
    {
        Socket = socket;
        _dispatcher = dispatcher;
        _reverseCalls = reverseCalls;
        _options = options;
        _budget = budget;
        _poller = poller;
        _logger = logger;
        _clock = clock;
        _records = new RecordReader(options.MaximumRecord);
        _sender = new Work<TcpConnection>(this, SendReady);
        _lastProgress = clock.GetTimestamp();
        // Without addresses it has gone again.
        if (socket is not { RemoteEndPoint: IPEndPoint remote, LocalEndPoint: IPEndPoint local })
            throw new SocketException((int)SocketError.NotConnected);
        RemoteEndPoint = RpcServer.Unmapped(remote);
        LocalEndPoint = RpcServer.Unmapped(local);
        Handle = new RpcConnection(this, reverseCalls);
    }

    public override RpcConnection Handle { get; }

    public IPEndPoint RemoteEndPoint { get; }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>The socket, which never blocks.</summary>
    internal Socket Socket { get; }

    private bool IsQuiet
    {
        get
        {
            lock (_lock)
                return _inFlight == 0;
        }
    }

    /// <summary>Serves the connection until it ends and its last call has been answered. Does not throw.</summary>
    public async Task RunAsync()
    {
        string reason = "closed by the client";
        try
        {
            try
            {
                BeginReading();
                await _readingEnded.WaitAsync().ConfigureAwait(false);
            }
            finally
            {
                Close();
            }
            _readingFault?.Throw();
            if (_draining)
                reason = "drained";
            // A client may close its sending side and still wait for replies.
            await _progress.WaitEventAsync(this, static connection => connection.IsQuiet, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RecordTooLongException or SocketException)
        {
            reason = exception.Message;
            Abort(reason);
        }
        catch (Exception exception)
        {
            // A fault of ours ends this connection, not the server.
            RpcLog.TransportFailed(_logger, exception, $"the connection of {RemoteEndPoint}");
            reason = "internal error";
            Abort(reason);
        }
        // Calls still running hold on to this object, not to the socket: their replies are dropped.
        await _progress.WaitEventAsync(this, static connection => connection.IsQuiet, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        Dispose();
        RpcLog.Disconnected(_logger, RemoteEndPoint, _abortReason ?? reason);
    }

    /// <summary>Gives back what an unfinished record holds, and closes the socket. Called when nobody reads any more.</summary>
    public void Dispose()
    {
        DisposeInput();
        _poller.Remove(this);
        ShutDown(); // sends what was written
        Socket.Dispose();
    }

    /// <summary>Has the reader look again whether it may go on.</summary>
    public void WakeReader()
    {
        if (_paused)
            BecameReadable();
    }

    /// <summary>Reads no further call; the connection ends when those in flight have been answered.</summary>
    public void Drain()
    {
        _draining = true;
        BecameReadable();
    }

    /// <summary>Ends the connection at once; calls that run go on, their replies are dropped.</summary>
    public void Abort(string reason)
    {
        _abortReason ??= reason;
        _broken = true;
        ShutDown(); // what sends sees it, too
        BecameReadable();
    }

    /// <summary>Ends the connection if it has been idle too long, or stands still inside a record or a reply.</summary>
    public void Reap()
    {
        TimeSpan still = _clock.GetElapsedTime(Volatile.Read(ref _lastProgress));
        bool sending;
        bool quiet;
        lock (_lock)
        {
            sending = _sending;
            quiet = _inFlight == 0;
        }
        if (sending && still >= _options.StallTimeout)
            Abort("the client does not read its replies");
        else if (quiet && Volatile.Read(ref _insideRecord) && !_paused && still >= _options.StallTimeout)
            Abort("the client stopped inside a record");
        else if (quiet && still >= _options.IdleTimeout)
            Drain();
    }

    public override void Discard(RpcCall call)
    {
        int bytes = call.RequestLength;
        _dispatcher.Pool.Return(call);
        Leave(1, bytes);
    }

    public override void Refuse(RpcCall call)
    {
        Abort("the client sent a record that is no call");
        Discard(call);
    }

    private void Close()
    {
        lock (_lock)
            _closed = true;
        _reverseCalls.FailAll(this);
        try
        {
            Handle.Close();
        }
        catch (Exception exception)
        {
            // A handler's fault is not the connection's.
            RpcLog.TransportFailed(_logger, exception, $"what follows the end of the connection of {RemoteEndPoint}");
        }
    }

    private void ShutDown()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    private void Leave(int calls, long bytes)
    {
        lock (_lock)
        {
            _inFlight -= calls;
            _bytesInFlight -= bytes;
            Debug.Assert(_inFlight >= 0 && _bytesInFlight >= 0);
        }
        _budget.Change(-bytes);
        _progress.WakeUpAll();
        WakeReader();
    }
}
