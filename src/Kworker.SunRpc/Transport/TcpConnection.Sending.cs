using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <content>
/// Sending: by one thread at a time, the sender, which takes what is ready until nothing is; without room it leaves off, and a worker goes on when there is some. A small reply that others are soon to follow is left to an item, which stands behind
/// the calls that this worker still has to run: their replies go out in the same write. Where that takes long (one of these calls blocks, or all places are taken by calls
/// that do), the poller sends them.
/// </content>
internal sealed partial class TcpConnection
{
    private const uint LastFragment = 0x8000_0000;
    private const int GatherSize = 32 << 10;
    private const int LargeReply = 8 << 10; // past it, a reply is sent from where it is, and at once
    private const int PatientPiece = 256 << 10; // so much to a client that reads slowly, before it counts as progress (where the runtime waits)

    private readonly Work<TcpConnection> _sender; // queued by who began to send, and did not go on
    private List<RpcCall> _ready = []; // _lock; replies that nobody has begun to send
    private List<RpcCall> _batch = []; // the sender's; replies being sent
    private int _nextOfBatch; // the sender's; the first that has not been taken for sending
    private byte[] _gathered = []; // the sender's; from ArrayPool, empty when there is none
    private ReadOnlyMemory<byte> _unsent; // the sender's; of a reply, or of what was gathered
    private int _awaitsRoom; // interlocked; nobody is the sender until there is room
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
        if (isAlone)
        {
            Send();
            return;
        }
        SubmitSender();
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

    /// <summary>What the item does, unless the poller was first; where the client does not read, somebody goes on when it has.</summary>
    public static void SendReady(TcpConnection connection)
    {
        lock (connection._lock)
        {
            if (!connection._isSenderQueued)
                return;
            connection._isSenderQueued = false;
            Debug.Assert(connection._sending, "there is a sender, and nobody else is");
        }
        connection.Send();
    }

    /// <summary>By the poller: the sender, which waits for room, may go on, or has nobody to send to any more. A worker comes for it.</summary>
    public void BecameWritable()
    {
        if (Interlocked.Exchange(ref _awaitsRoom, 0) == 0)
            return; // that it has ended is told unasked, once
        lock (_lock)
        {
            _isSenderQueued = true;
            _timesQueued++;
        }
        SubmitSender();
    }

    /// <summary>Once <see cref="_isSenderQueued"/> is set.</summary>
    private void SubmitSender()
    {
        _dispatcher.Submit(_sender);
        Interlocked.MemoryBarrier(); // as the poller expects
        if (!IsWatched)
            _poller.Watch(this);
    }

    /// <summary>
    /// Sends until nothing is left, or there is no room: then it has returned in the middle, and whoever comes when there is some is the sender. It does not throw; its end
    /// is awaited through the calls in flight.
    /// </summary>
    private void Send()
    {
        while (true)
        {
            if (_batch.Count == 0)
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
            }
            try
            {
                while (!_broken && (!_unsent.IsEmpty || TryGather()))
                {
                    if (!TrySendUnsent())
                    {
                        AwaitRoom();
                        return;
                    }
                }
            }
            catch (Exception exception)
            {
                // However sending failed, the connection is of no use any more, and the calls of the batch must leave.
                RpcLog.ReplyNotSent(_logger, RemoteEndPoint, exception.Message);
                Abort(exception.Message);
            }
            EndBatch();
        }
    }

    private void EndBatch()
    {
        Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        long bytes = 0;
        int calls = _batch.Count;
        foreach (RpcCall call in _batch)
        {
            bytes += call.RequestLength + call.Reply.Position;
            _dispatcher.Pool.Return(call);
        }
        _batch.Clear();
        _nextOfBatch = 0;
        _unsent = default;
        if (_gathered.Length > 0)
            ArrayPool<byte>.Shared.Return(_gathered);
        _gathered = [];
        Leave(calls, bytes);
    }

    /// <summary>Takes what is to be sent next: a large reply, or small ones one behind the other. False at the end of the batch.</summary>
    private bool TryGather()
    {
        int length = 0;
        for (; _nextOfBatch < _batch.Count; _nextOfBatch++)
        {
            ReadOnlyMemory<byte> reply = _batch[_nextOfBatch].Reply.Written;
            bool isAlone = reply.Length > LargeReply || _batch.Count == 1;
            if (length > 0 && (isAlone || length + reply.Length > _gathered.Length))
                break;
            if (isAlone)
            {
                _nextOfBatch++;
                _unsent = reply;
                return true;
            }
            if (_gathered.Length == 0)
                _gathered = ArrayPool<byte>.Shared.Rent(GatherSize);
            reply.CopyTo(_gathered.AsMemory(length));
            length += reply.Length;
        }
        _unsent = _gathered.AsMemory(0, length);
        return length > 0;
    }

    /// <summary>False when there is no room.</summary>
    private bool TrySendUnsent()
    {
        while (true)
        {
            int sent = Socket.Send(_unsent.Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
            {
                _unsent = _unsent[sent..];
                if (_unsent.IsEmpty)
                    return true;
                Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
            }
            else if (error != SocketError.WouldBlock)
            {
                throw new SocketException((int)error);
            }
            else if (!LingersUntilWritable())
            {
                return false;
            }
        }
    }

    /// <summary>By the sender, as the last that it does.</summary>
    private void AwaitRoom()
    {
        if (!OperatingSystem.IsLinux())
        {
            _ = SendPatientlyAsync();
            return;
        }
        Interlocked.Exchange(ref _awaitsRoom, 1); // first: as soon as it is armed, somebody else may be the sender
        try
        {
            _poller.ArmWritable(this);
        }
        catch when (Interlocked.Exchange(ref _awaitsRoom, 0) == 0)
        {
            // It has ended, and somebody else is the sender.
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

    private async Task SendPatientlyAsync()
    {
        try
        {
            int sent = await Socket.SendAsync(_unsent[..Math.Min(_unsent.Length, PatientPiece)], SocketFlags.None).ConfigureAwait(false);
            _unsent = _unsent[sent..];
            Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // To go on sees it, too.
        }
        Send();
    }
}
