using System.Buffers;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <content>
/// Sending: by one thread at a time, which takes what is ready until nothing is. A small reply that others are soon to follow is left to an item, which stands behind
/// the calls that this worker still has to run: their replies go out in the same write. Where that takes long (one of these calls blocks, or all places are taken by calls
/// that do), the poller sends them.
/// </content>
internal sealed partial class TcpConnection
{
    private const uint LastFragment = 0x8000_0000;
    private const int GatherSize = 32 << 10;
    private const int LargeReply = 8 << 10; // past it, a reply is sent from where it is, and at once
    private const int PatientPiece = 256 << 10; // so much to a client that reads slowly, before it counts as progress

    private readonly Work<TcpConnection> _sender; // queued by who began to send, and did not go on
    private List<RpcCall> _ready = []; // _lock; replies that nobody has begun to send
    private List<RpcCall> _batch = []; // the sender's; replies being sent
    private bool _sending; // _lock; somebody is the sender, or the item is to be
    private volatile bool _isSenderQueued; // written under _lock; it is the item, or the poller, whoever comes first
    private int _timesQueued; // _lock
    private int _timesQueuedAtLastLook; // the poller's

    public override void Answer(RpcCall call)
    {
        int end = call.Reply.Position;
        call.Reply.Position = 0;
        call.Reply.WriteUInt32(LastFragment | (uint)(end - RecordMark));
        call.Reply.Position = end;
        bool isAlone = call.RunsWhereRead || end > LargeReply || !ConnectionPoller.IsRelieving;
        bool sends;
        lock (_lock)
        {
            _bytesInFlight += end;
            _ready.Add(call);
            sends = !_sending;
            _sending = true;
            isAlone |= _inFlight == _ready.Count;
            if (sends && !isAlone)
            {
                _isSenderQueued = true;
                _timesQueued++;
            }
        }
        _budget.Change(end);
        if (!sends)
            return;
        // The sender's end is awaited through the calls in flight. It does not throw.
        if (isAlone)
        {
            _ = SendAsync(); // runs here as far as it can without waiting
            return;
        }
        _dispatcher.Submit(_sender);
        Interlocked.MemoryBarrier(); // as the poller expects
        if (!IsWatched)
            _poller.Watch(this);
    }

    /// <summary>By the poller, now and then: whether replies have waited for the item since the last time, and are sent by <see cref="SendReady"/> now.</summary>
    public bool IsSenderLate()
    {
        lock (_lock)
        {
            bool isLate = _isSenderQueued && _timesQueued == _timesQueuedAtLastLook;
            _timesQueuedAtLastLook = _timesQueued;
            return isLate;
        }
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

    /// <summary>What the item does, unless the poller was first; the rest of it follows without a worker, where the client does not read.</summary>
    public static void SendReady(TcpConnection connection)
    {
        lock (connection._lock)
        {
            if (!connection._isSenderQueued)
                return;
            connection._isSenderQueued = false;
        }
        _ = connection.SendAsync();
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
                await SendBatchAsync().ConfigureAwait(false);
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

    private async ValueTask SendBatchAsync()
    {
        byte[] gathered = [];
        int length = 0;
        try
        {
            for (int i = 0; i < _batch.Count; i++)
            {
                ReadOnlyMemory<byte> reply = _batch[i].Reply.Written;
                bool isAlone = reply.Length > LargeReply || _batch.Count == 1;
                if (length > 0 && (isAlone || length + reply.Length > gathered.Length))
                {
                    await SendAsync(gathered.AsMemory(0, length)).ConfigureAwait(false);
                    length = 0;
                }
                if (isAlone)
                {
                    await SendAsync(reply).ConfigureAwait(false);
                    continue;
                }
                if (gathered.Length == 0)
                    gathered = ArrayPool<byte>.Shared.Rent(GatherSize);
                reply.CopyTo(gathered.AsMemory(length));
                length += reply.Length;
            }
            if (length > 0)
                await SendAsync(gathered.AsMemory(0, length)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // However sending failed, the connection is of no use any more, and the calls of the batch must leave.
            RpcLog.ReplyNotSent(_logger, RemoteEndPoint, exception.Message);
            Abort(exception.Message);
        }
        if (gathered.Length > 0)
            ArrayPool<byte>.Shared.Return(gathered);
    }

    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            int sent = Socket.Send(bytes.Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
            {
                bytes = bytes[sent..];
                if (bytes.IsEmpty)
                    return ValueTask.CompletedTask;
                Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
            }
            else if (error != SocketError.WouldBlock)
            {
                throw new SocketException((int)error);
            }
            else if (!LingersUntilWritable())
            {
                return SendPatientlyAsync(bytes);
            }
        }
    }

    /// <summary>By a worker, waits a little for a client that reads: it makes room soon. True when there is some.</summary>
    private bool LingersUntilWritable()
    {
        if (Work.Current is null || !_poller.TryBeginLinger())
            return false;
        try
        {
            using BlockingScope blocking = Worker.Blocking();
            return Socket.Poll(ConnectionPoller.LingerTime, SelectMode.SelectWrite);
        }
        finally
        {
            _poller.EndLinger();
        }
    }

    private async ValueTask SendPatientlyAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int sent = await Socket.SendAsync(bytes[..Math.Min(bytes.Length, PatientPiece)], SocketFlags.None).ConfigureAwait(false);
            bytes = bytes[sent..];
            Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        }
    }
}
