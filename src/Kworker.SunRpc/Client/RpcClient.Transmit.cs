using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kworker.SunRpc;

// Sending and connecting: one work item does both, so nobody else ever sends, and no two connections are made at once.

internal sealed partial class RpcClient
{
    private const int MaximumBatch = 64;
    private const int MaximumBatchBytes = 4 << 20;

    /// <summary>
    /// Sends what stands in line. Whoever puts a task in line queues the item after that: an item that runs by then runs once more, so it is
    /// seen in any case. While the item waits to connect again it is pending, and sends when it comes to run.
    /// </summary>
    private readonly DelayedWork<RpcClient> _transmit;

    private readonly LinkedList<RpcTask> _line = []; // _lock; those to be sent for the first time behind those to be sent again
    private readonly List<RpcTask> _batch = []; // of the item alone
    private readonly List<ArraySegment<byte>> _segments = []; // of the item alone
    private readonly CancellationTokenSource _stop = new();
    private RpcClientConnection? _connection; // _lock; set by the item alone
    private int _sent; // _lock; calls in flight that went out at least once
    private TimeSpan _reconnectDelay; // _lock
    private int _lastPort; // of the item alone: the reserved port to take again, by which servers know us

    /// <summary>Sends soon.</summary>
    private void KickTransmit() => _queue.Queue(_transmit, TimeSpan.Zero);

    // Under the lock. First the calls that the server may have seen: they are what their callers have waited longest for.
    private void Line(RpcTask task)
    {
        task.IsQueued = true;
        if (task.Sends > 0)
            _line.AddFirst(task);
        else
            _line.AddLast(task);
    }

    /// <summary>Has a call sent again, if it went out before and is not in line. Under the lock.</summary>
    private bool LineAgain(RpcTask task)
    {
        task.IsDueAgain = task.IsSending;
        if (task.Sends == 0 || task.IsQueued || task.IsSending)
            return false;
        Line(task);
        return true;
    }

    // The work function.
    private async ValueTask TransmitAsync()
    {
        while (true)
        {
            RpcClientConnection? connection;
            lock (_lock)
            {
                DropDone();
                if (_isDisposed || _line.Count == 0)
                    return;
                connection = _connection;
            }
            connection ??= await ConnectAsync().ConfigureAwait(false);
            if (connection is null || !TakeBatch())
                return;
            Exception? lost = null;
            try
            {
                await connection.SendAsync(_segments, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                lost = exception;
            }
            if (lost is not null)
                connection.Fail(lost);
            if (!EndBatch(connection))
                return;
        }
    }

    private void DropDone()
    {
        while (_line.First is { Value.IsInFlight: false } first)
        {
            first.Value.IsQueued = false;
            _line.RemoveFirst();
        }
    }

    private bool TakeBatch()
    {
        _batch.Clear();
        _segments.Clear();
        int bytes = 0;
        lock (_lock)
        {
            while (_batch.Count < MaximumBatch && bytes < MaximumBatchBytes)
            {
                DropDone();
                if (_line.First is not { } first || (first.Value.Sends == 0 && _sent >= _options.MaximumInFlight))
                    break;
                RpcTask task = first.Value;
                _line.RemoveFirst();
                task.IsQueued = false;
                task.IsSending = true;
                if (task.Sends++ == 0)
                    _sent++;
                _batch.Add(task);
                ReadOnlyMemory<byte> message = task.Message!.Written;
                bytes += message.Length;
                if (!MemoryMarshal.TryGetArray(message, out ArraySegment<byte> segment))
                    throw new InvalidOperationException("A message is not in an array.");
                _segments.Add(_transport == RpcTransport.Tcp ? segment : segment[4..]);
            }
        }
        return _batch.Count > 0;
    }

    /// <summary>Lets go of what was sent; false if the connection was lost meanwhile: then the item is queued for the next attempt.</summary>
    private bool EndBatch(RpcClientConnection connection)
    {
        bool isLost;
        lock (_lock)
        {
            isLost = !ReferenceEquals(_connection, connection);
            foreach (RpcTask task in _batch)
            {
                task.IsSending = false;
                if (!task.IsInFlight)
                    ReleaseMessage(task);
                else if (isLost || task.IsDueAgain)
                    LineAgain(task);
            }
            if (isLost && !_isDisposed)
                ReconnectLater();
        }
        _batch.Clear();
        _segments.Clear();
        return !isLost;
    }

    /// <summary>Connects; null if that cannot be done now: then the item is queued for the next attempt, or nobody wants it.</summary>
    private async ValueTask<RpcClientConnection?> ConnectAsync()
    {
        try
        {
            Socket socket = await RpcClientSocket.ConnectAsync(
                RemoteEndPoint, _transport, _options.FromReservedPort, _lastPort, _options.LocalAddress, _timeouts, _stop.Token).ConfigureAwait(false);
            _lastPort = ((IPEndPoint)socket.LocalEndPoint!).Port;
            var connection = new RpcClientConnection(this, socket, _transport, _options.MaximumReply);
            lock (_lock)
            {
                if (_isDisposed)
                {
                    socket.Dispose();
                    return null;
                }
                _connection = connection;
            }
            connection.Start();
            return connection;
        }
        catch (OperationCanceledException)
        {
            return null; // the client is being closed
        }
        catch (SocketException exception)
        {
            RpcClientLog.NotConnected(_logger, _name, exception.Message);
            ConnectingFailed(exception);
            return null;
        }
    }

    private void ConnectingFailed(Exception exception)
    {
        RpcTask[] failed = [];
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (_options.IsSoftConnect)
            {
                failed = [.. _inFlight.Values];
                foreach (RpcTask task in failed)
                {
                    TakeOut(task);
                    task.Error = exception;
                }
            }
            ReconnectLater();
        }
        foreach (RpcTask task in failed)
            task.Finish();
    }

    // Under the lock.
    private void ReconnectLater()
    {
        if (_line.Count == 0)
            return;
        _queue.Queue(_transmit, _reconnectDelay);
        _reconnectDelay = _reconnectDelay * 2 > _options.MaximumReconnectDelay ? _options.MaximumReconnectDelay : _reconnectDelay * 2;
    }

    /// <summary>
    /// A connection ended, by whatever error: calls that went out on it are sent again on the next. Where nobody listens for datagrams it
    /// is the same. Called once for each connection.
    /// </summary>
    internal void Lost(RpcClientConnection connection, Exception error)
    {
        bool refused = _transport == RpcTransport.Udp && error is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
        lock (_lock)
        {
            if (!ReferenceEquals(_connection, connection))
                return;
            _connection = null;
            foreach (RpcTask task in _inFlight.Values)
                LineAgain(task);
            if (!refused || !_options.IsSoftConnect)
            {
                // What is being sent goes into the line when the sender is done with it. Not at once: a server that takes connections only to
                // close them is not asked ever faster.
                RpcClientLog.Disconnected(_logger, _name, error.Message);
                ReconnectLater();
                return;
            }
        }
        ConnectingFailed(error);
    }
}
