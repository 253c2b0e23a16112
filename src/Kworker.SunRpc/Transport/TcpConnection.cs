using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>
/// One TCP connection of the server. Its reader takes records off the input and queues a work item for each; the workers that end calls
/// put the replies into a list, which whoever finds nobody sending writes out: what became ready meanwhile goes along in the same flush.
/// </summary>
/// <remarks>
/// In flight is every call from the moment it was read until its reply has been taken by the socket layer, or it was dropped. The reader
/// pauses while the calls in flight, or the bytes of their requests and replies, are at their bounds: a peer that does not read its
/// replies is soon not read from either, and holds no more than those bounds. It pauses, too, while it holds more than a little and all
/// connections together hold too much (<see cref="MemoryBudget"/>). An idle connection costs no thread and no buffer.
/// </remarks>
[DebuggerDisplay("{RemoteEndPoint}, {_inFlight} in flight")]
internal sealed class TcpConnection : RpcPeer, IDisposable
{
    private const int RecordMark = 4;
    private const uint LastFragment = 0x8000_0000;
    private const int LargeReply = 4096; // past it, a reply gets one segment of its own instead of many small ones
    private const int LargeFlush = 128 << 10; // past it, a batch is flushed before its end: what the socket layer holds is not counted

    private readonly TcpTransport.Channel _channel;
    private readonly RpcDispatcher _dispatcher;
    private readonly ReverseCalls _reverseCalls;
    private readonly RpcServerOptions _options;
    private readonly MemoryBudget _budget;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly RecordReader _records; // the reader's
    private readonly WaitQueue _progress = new(); // woken when calls have left, and when the connection ends
    private readonly Lock _lock = new();
    private List<RpcCall> _ready = []; // _lock; replies that nobody has begun to send
    private List<RpcCall> _batch = []; // the sender's; replies being sent
    private bool _sending; // _lock; somebody is the sender
    private volatile bool _broken; // replies cannot be sent any more
    private int _inFlight; // _lock
    private long _bytesInFlight; // _lock; of requests, and of replies that are ready
    private bool _recordReserved; // the reader's; the budget is charged the greatest length for the unfinished record
    private volatile bool _paused; // the reader waits for room: standing still is then not the client's fault
    private volatile bool _draining;
    private bool _closed; // _lock; nothing is read any more, so no call of ours is sent
    private volatile bool _calledBack; // a call of ours was sent: replies are then no fault of the client's
    private long _lastProgress; // time stamp of the last bytes in or out; written by reader and sender, a torn order does no harm
    private bool _insideRecord; // the reader's view, for the reaper, which may see it late

    public TcpConnection(
        TcpTransport.Channel channel, RpcDispatcher dispatcher, ReverseCalls reverseCalls, RpcServerOptions options, MemoryBudget budget,
        ILogger logger, TimeProvider clock)
    {
        _channel = channel;
        _dispatcher = dispatcher;
        _reverseCalls = reverseCalls;
        _options = options;
        _budget = budget;
        _logger = logger;
        _clock = clock;
        _records = new RecordReader(options.MaximumRecord);
        _lastProgress = clock.GetTimestamp();
        RemoteEndPoint = RpcServer.Unmapped(channel.RemoteEndPoint);
        LocalEndPoint = RpcServer.Unmapped(channel.LocalEndPoint);
        Handle = new RpcConnection(this, reverseCalls);
    }

    public override RpcConnection Handle { get; }

    public IPEndPoint RemoteEndPoint { get; }

    public IPEndPoint LocalEndPoint { get; }

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
                await ReadAsync().ConfigureAwait(false);
            }
            finally
            {
                Close();
            }
            if (_draining)
                reason = "drained";
            // A client may close its sending side and still wait for replies.
            await _progress.WaitEventAsync(this, static connection => connection.IsQuiet, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        }
        catch (RecordTooLongException tooLong)
        {
            reason = tooLong.Message;
            Abort(reason);
        }
        catch (Exception exception)
            when (exception is ConnectionResetException or ConnectionAbortedException or IOException or OperationCanceledException)
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
        try
        {
            await _channel.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Nothing is left to be done with the socket; why it failed to close is worth a line.
            RpcLog.TransportFailed(_logger, exception, $"closing the connection of {RemoteEndPoint}");
        }
        RpcLog.Disconnected(_logger, RemoteEndPoint, reason);
    }

    /// <summary>Gives back what an unfinished record holds. Called when nobody reads any more.</summary>
    public void Dispose()
    {
        _records.Dispose();
        ReleaseReservation();
    }

    /// <summary>Has the reader look again whether it may go on.</summary>
    public void WakeReader() => _progress.WakeUpAll();

    /// <summary>Reads no further call; the connection ends when those in flight have been answered.</summary>
    public void Drain()
    {
        _draining = true;
        _channel.Input.CancelPendingRead();
        _progress.WakeUpAll();
    }

    /// <summary>Ends the connection at once; calls that run go on, their replies are dropped.</summary>
    public void Abort(string reason)
    {
        _broken = true;
        _channel.Abort(reason);
        _progress.WakeUpAll();
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

    public override void Answer(RpcCall call)
    {
        int end = call.Reply.Position;
        call.Reply.Position = 0;
        call.Reply.WriteUInt32(LastFragment | (uint)(end - RecordMark));
        call.Reply.Position = end;
        bool sends;
        lock (_lock)
        {
            _bytesInFlight += end;
            _ready.Add(call);
            sends = !_sending;
            _sending = true;
        }
        _budget.Change(end);
        if (!sends)
            return;
        // Runs here as far as it can without waiting; its end is awaited through the calls in flight. It does not throw.
        _ = SendAsync();
    }

    /// <summary>Makes a call object that nobody uses ready to carry a message of ours instead of a reply.</summary>
    public void BeginMessage(RpcCall message)
    {
        message.Begin([], 0, RecordMark, _options.MaximumRecord);
        message.Peer = this;
    }

    /// <summary>Sends a message that is no reply, and recycles it; false if the connection is closed: then nothing is done.</summary>
    public bool TrySend(RpcCall message)
    {
        _calledBack = true; // before the client can answer
        lock (_lock)
        {
            if (_closed || _broken)
                return false;
            _inFlight++; // it leaves as replies do
        }
        Answer(message);
        return true;
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

    private async Task ReadAsync()
    {
        PipeReader input = _channel.Input;
        while (!_draining)
        {
            if (!MayTakeMore())
                await WaitForRoomAsync().ConfigureAwait(false);
            ReadResult result = await input.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> rest = result.Buffer;
            if (!rest.IsEmpty)
                Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
            bool room = true;
            while (!_draining && (room = MayTakeMore()) && _records.TryRead(ref rest, out byte[]? record, out int length))
                Enter(record!, length);
            Volatile.Write(ref _insideRecord, _records.IsInsideRecord || (room && !rest.IsEmpty));
            // Without room the rest has not been looked at: the next read then gives it again at once.
            input.AdvanceTo(rest.Start, room ? rest.End : rest.Start);
            if (_broken || (result.IsCompleted && room))
                return;
        }
    }

    // The reader's alone: may reserve.
    private bool MayTakeMore()
    {
        long bytes;
        lock (_lock)
        {
            if (_inFlight >= _options.MaximumCallsPerConnection || _bytesInFlight >= _options.MaximumBytesPerConnection)
                return false;
            bytes = _bytesInFlight;
        }
        if (_recordReserved || (bytes < MemoryBudget.AlwaysGranted && _records.Held < MemoryBudget.AlwaysGranted))
            return true;
        if (_records.Held == 0)
            return _budget.HasRoom;
        _recordReserved = _budget.TryTake(_options.MaximumRecord);
        return _recordReserved;
    }

    private async ValueTask WaitForRoomAsync()
    {
        _paused = true;
        _budget.Pause(this);
        await _progress.WaitEventAsync(
            this,
            static connection => connection._draining || connection._broken || connection.MayTakeMore(),
            Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        _budget.Resume(this);
        Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        _paused = false;
    }

    private void ReleaseReservation()
    {
        if (!_recordReserved)
            return;
        _recordReserved = false;
        _budget.Change(-_options.MaximumRecord);
    }

    private void Enter(byte[] record, int length)
    {
        // Replies to calls of ours never count as in flight: they are taken by those who wait, or dropped, here and now.
        if (_calledBack && length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(record.AsSpan(4)) == RpcMessageConstants.Reply)
        {
            ReleaseReservation();
            _reverseCalls.Receive(this, record, length);
            return;
        }
        lock (_lock)
        {
            _inFlight++;
            _bytesInFlight += length;
        }
        _budget.Change(length);
        ReleaseReservation(); // it was this record's
        RpcCall call = _dispatcher.Pool.Rent();
        call.Begin(record, length, RecordMark, _options.MaximumRecord);
        call.Peer = this;
        call.Transport = RpcTransport.Tcp;
        call.RemoteEndPoint = RemoteEndPoint;
        call.LocalEndPoint = LocalEndPoint;
        _dispatcher.Submit(call);
    }

    private async Task SendAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_ready.Count == 0)
                {
                    _sending = false;
                    return;
                }
                (_ready, _batch) = (_batch, _ready);
            }
            if (!_broken)
                await WriteBatchAsync().ConfigureAwait(false);
            Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
            long bytes = 0;
            int calls = _batch.Count;
            foreach (RpcCall call in _batch)
            {
                bytes += call.RequestLength + call.Reply.Position;
                _dispatcher.Pool.Return(call);
            }
            _batch.Clear();
            Leave(calls, bytes);
        }
    }

    private async ValueTask WriteBatchAsync()
    {
        try
        {
            PipeWriter output = _channel.Output;
            int unflushed = 0;
            for (int i = 0; i < _batch.Count; i++)
            {
                unflushed += Write(output, _batch[i].Reply.Written.Span);
                if (unflushed < LargeFlush && i + 1 < _batch.Count)
                    continue;
                FlushResult result = await output.FlushAsync().ConfigureAwait(false);
                if (result.IsCompleted)
                {
                    Break("the client closed the connection");
                    return;
                }
                unflushed = 0;
            }
        }
        catch (Exception exception)
        {
            // However sending failed, the connection is of no use any more, and the calls of the batch must leave.
            Break(exception.Message);
        }
    }

    private static int Write(PipeWriter output, ReadOnlySpan<byte> reply)
    {
        if (reply.Length > LargeReply)
        {
            reply.CopyTo(output.GetSpan(reply.Length));
            output.Advance(reply.Length);
        }
        else
        {
            output.Write(reply);
        }
        return reply.Length;
    }

    private void Break(string reason)
    {
        RpcLog.ReplyNotSent(_logger, RemoteEndPoint, reason);
        Abort(reason);
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
    }
}
