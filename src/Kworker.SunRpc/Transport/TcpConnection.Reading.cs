using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Kworker.SunRpc;

/// <content>
/// Reading: by one worker at a time, the one that holds the reading. It gives it away when there is nothing to read, or no room.
/// <code>
///            BecameReadable (poller, WakeReader, Drain, Abort): a turn is queued
///   AtRest ----------------------------------------------------------------------> Reading ---> for good, at the end
///     ^  ^                                                                         |  |  ^
///     |  +---- armed, or paused: by who reads -------------------------------------+  |  | it has ended, and nobody relieved it
///     |                                                                               v  |
///     +---- relieved, armed: by the poller, when the call takes long ----------- a call of its own (a new number each)
/// </code>
/// </content>
internal sealed partial class TcpConnection
{
    private const int InputSize = 32 << 10;
    private const int LargeCall = 64 << 10; // taking so much from the socket takes long enough for another worker to come for the call meanwhile
    private const int StepsATurn = 64; // calls run, and receives: then whoever else waits for a worker comes first
    private const int AtRest = 0;
    private const int Reading = 1;
    private const int RunsCall = 2; // and higher: a number in steps of this

    private readonly RecordReader _records; // the reader's
    private readonly Completion _readingEnded = new();
    private int _reading = Reading; // interlocked; see above
    private int _roleAtLastLook; // the poller's
    private int _lastCall; // the reader's; numbers the calls that it runs, in steps of RunsCall
    private ExceptionDispatchInfo? _readingFault; // the reader's, until reading has ended
    private byte[] _input = []; // the reader's; from ArrayPool, empty when there is none
    private int _inputStart; // the reader's; what has not been looked at
    private int _inputEnd; // the reader's
    private bool _isDrained; // the reader's; there was no more in the socket at last
    private bool _waitsAfterCall; // the reader's; the client seems to send its next call when it has the reply to the last one
    private LingerSpin _spin; // the reader's
    private bool _recordReserved; // the reader's; the budget is charged the greatest length for the unfinished record
    private volatile bool _paused; // the reader waits for room: standing still is then not the client's fault
    private bool _insideRecord; // the reader's view, for the reaper, which may see it late

    /// <summary>The poller's: what it is told by.</summary>
    public long PollId { get; set; }

    /// <summary>The poller watches it. Written under its lock.</summary>
    public bool IsWatched
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>
    /// From any thread: nobody reads it, now or ever again, and no replies wait for the item that sends them. So it is also when it has ended and somebody has it watched
    /// a moment later: he was about to when the last reply had left.
    /// </summary>
    public bool IsAtRest => (Volatile.Read(ref _reading) == AtRest || _readingEnded.IsDone) && !_isSenderQueued;

    /// <summary>From any thread: there may be something to read, or to see. Has a worker come for it, if none reads.</summary>
    public void BecameReadable()
    {
        if (Interlocked.CompareExchange(ref _reading, Reading, AtRest) == AtRest)
            QueueTurn();
    }

    /// <summary>
    /// By the poller, now and then: takes the reading from who has run the same call since the last time; true when <see cref="AwaitBytes"/> is to follow.
    /// </summary>
    public bool TryRelieve()
    {
        int role = Volatile.Read(ref _reading);
        bool isLong = role >= RunsCall && role == _roleAtLastLook;
        _roleAtLastLook = role;
        return isLong && Interlocked.CompareExchange(ref _reading, AtRest, role) == role;
    }

    /// <summary>
    /// By who has just given the reading away: has somebody come for it when there is something to read. Who ends the connection says so, and then looks
    /// whether somebody reads; here it is the other way round: one of the two sees the other.
    /// </summary>
    public void AwaitBytes()
    {
        _poller.Arm(this);
        if (_draining || _broken)
            BecameReadable();
    }

    /// <summary>A turn's work: by a worker, which holds the reading.</summary>
    public void Read()
    {
        try
        {
            if (!ReadOn())
                return;
        }
        catch (Exception exception)
        {
            // However it ended, it is the end of this connection alone, and said by RunAsync.
            _readingFault = ExceptionDispatchInfo.Capture(exception);
        }
        _readingEnded.CompleteAll(); // the reading is held for good
    }

    private void BeginReading()
    {
        _poller.Add(this);
        Interlocked.Exchange(ref _reading, AtRest);
        AwaitBytes();
    }

    private void QueueTurn()
    {
        ReadTurn turn = _dispatcher.Turns.Rent();
        turn.Begin(this);
        _dispatcher.Submit(turn.Work);
    }

    /// <summary>True at the end of all reading; false when the reading has been given away.</summary>
    private bool ReadOn()
    {
        RpcCall? last = null; // has been read, and does not run yet
        bool areMany = false;
        int steps = 0;
        _isDrained = false;
        try
        {
            while (true)
            {
                if (_draining || _broken)
                    return true;
                if (steps >= StepsATurn && last is null)
                {
                    QueueTurn();
                    return false;
                }
                bool hasRoom = MayTakeMore();
                if (hasRoom)
                {
                    if (TryTakeRecord(out RpcCall? call))
                    {
                        if (call is null)
                            continue;
                        areMany |= last is not null;
                        Submit(ref last);
                        last = call;
                        continue;
                    }
                    if (!_isDrained)
                    {
                        int received = Receive();
                        steps++;
                        if (received == 0)
                            return true;
                        if (received > 0)
                            continue;
                    }
                }
                if (last is not null)
                {
                    if (areMany)
                    {
                        _waitsAfterCall = false;
                        // Behind the calls: this worker, or whoever takes one from it, runs them first, and reads when it comes to that.
                        Submit(ref last);
                        QueueTurn();
                        return false;
                    }
                    // Whoever is relieved leaves nothing but what is in the socket: nobody would be told of the rest.
                    bool mayRunHere = ConnectionPoller.IsRelieving && _inputStart == _inputEnd;
                    if (!mayRunHere || (_records.Held > 0 && last.RequestLength >= LargeCall))
                    {
                        Submit(ref last);
                        continue;
                    }
                    RpcCall only = last;
                    last = null;
                    if (!TryRunHere(only))
                        return false;
                    _isDrained = _waitsAfterCall;
                    steps++;
                    continue;
                }
                if (!hasRoom)
                {
                    if (TryPause())
                        return false;
                    continue;
                }
                Volatile.Write(ref _insideRecord, _records.IsInsideRecord);
                if (LingersUntilReadable())
                {
                    _isDrained = false;
                    steps = 0; // others could come meanwhile
                    continue;
                }
                ReleaseInput();
                Interlocked.Exchange(ref _reading, AtRest);
                AwaitBytes();
                return false;
            }
        }
        finally
        {
            Submit(ref last); // what was read is answered, however reading ended
        }
    }

    private void Submit(ref RpcCall? call)
    {
        if (call is null)
            return;
        RpcCall submitted = call;
        call = null;
        _dispatcher.Submit(submitted);
    }

    /// <summary>
    /// Runs a call on this thread: nobody need be woken for it. False when it took long, and somebody else reads now.
    /// </summary>
    private bool TryRunHere(RpcCall call)
    {
        int role = _lastCall = _lastCall > int.MaxValue - (2 * RunsCall) ? RunsCall : _lastCall + RunsCall;
        call.RunsWhereRead = true;
        Interlocked.Exchange(ref _reading, role); // a full fence, as the poller expects
        if (!IsWatched)
            _poller.Watch(this);
        try
        {
            _dispatcher.Execute(call);
        }
        catch (Exception exception)
        {
            // A fault of ours in this call; perhaps somebody else reads by now.
            RpcLog.TransportFailed(_logger, exception, $"a call of {RemoteEndPoint}");
        }
        return Interlocked.CompareExchange(ref _reading, Reading, role) == role;
    }

    /// <summary>Takes the next record that is whole; true also with a null call, when it was a reply.</summary>
    private bool TryTakeRecord(out RpcCall? call)
    {
        call = null;
        ReadOnlySpan<byte> input = _input.AsSpan(_inputStart, _inputEnd - _inputStart);
        bool isWhole = _records.TryRead(ref input, out byte[]? record, out int length);
        _inputStart = _inputEnd - input.Length;
        if (isWhole)
            call = Enter(record!, length);
        return isWhole;
    }

    /// <summary>Takes what the socket has, as far as it fits: how many bytes, 0 at the end of the stream, negative when there is nothing yet.</summary>
    private int Receive()
    {
        Memory<byte> room = _records.Room(isVouchedFor: _recordReserved);
        bool isDirect = !room.IsEmpty;
        if (!isDirect)
        {
            if (_input.Length == 0)
                _input = ArrayPool<byte>.Shared.Rent(InputSize);
            room = _input;
        }
        int received = Socket.Receive(room.Span, SocketFlags.None, out SocketError error);
        if (error == SocketError.WouldBlock)
        {
            _isDrained = true;
            _waitsAfterCall = true;
            return -1;
        }
        if (error != SocketError.Success)
            throw new SocketException((int)error);
        if (received == 0)
            return 0;
        Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        _isDrained = received < room.Length;
        _inputStart = 0;
        _inputEnd = isDirect ? 0 : received;
        if (isDirect)
            _records.Advance(received);
        return received;
    }

    /// <summary>Waits a little for the next bytes: mostly they come soon, and then wake this worker, and no other. True when they are there.</summary>
    private bool LingersUntilReadable()
    {
        if (!_poller.TryBeginLinger())
            return false;
        try
        {
            using BlockingScope blocking = Worker.Blocking();
            bool isReadable = _spin.Begin(Socket, _poller) || Socket.Poll(ConnectionPoller.LingerTime, SelectMode.SelectRead);
            _spin.End();
            return isReadable;
        }
        finally
        {
            _poller.EndLinger();
        }
    }

    /// <summary>
    /// Without room: gives the reading away until somebody makes room. False when there is some now. Who makes room does so, and then looks whether it is paused;
    /// here it is the other way round: one of the two sees the other.
    /// </summary>
    private bool TryPause()
    {
        Volatile.Write(ref _insideRecord, _records.IsInsideRecord || _inputStart < _inputEnd);
        _paused = true;
        _budget.Pause(this);
        Interlocked.Exchange(ref _reading, AtRest);
        bool mayGoOn = _draining || _broken || MightTakeMore(out _);
        return !mayGoOn || Interlocked.CompareExchange(ref _reading, Reading, AtRest) != AtRest;
    }

    private void EndPause()
    {
        _budget.Resume(this);
        Volatile.Write(ref _lastProgress, _clock.GetTimestamp());
        _paused = false;
    }

    // The reader's alone: may reserve.
    private bool MayTakeMore()
    {
        bool may = MightTakeMore(out bool holdsLittle);
        if (may && !_recordReserved && !holdsLittle && _records.Held > 0)
            may = _recordReserved = _budget.TryTake(_options.MaximumRecord);
        if (may && _paused)
            EndPause();
        return may;
    }

    private bool MightTakeMore(out bool holdsLittle)
    {
        long bytes;
        holdsLittle = false;
        lock (_lock)
        {
            if (_inFlight >= _options.MaximumCallsPerConnection || _bytesInFlight >= _options.MaximumBytesPerConnection)
                return false;
            bytes = _bytesInFlight;
        }
        holdsLittle = bytes < MemoryBudget.AlwaysGranted && _records.Held < MemoryBudget.AlwaysGranted;
        return _recordReserved || holdsLittle || _budget.HasRoom;
    }

    private void ReleaseReservation()
    {
        if (!_recordReserved)
            return;
        _recordReserved = false;
        _budget.Change(-_options.MaximumRecord);
    }

    private RpcCall? Enter(byte[] record, int length)
    {
        // Replies to calls of ours never count as in flight: they are taken by those who wait, or dropped, here and now.
        if (_calledBack && length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(record.AsSpan(4)) == RpcMessageConstants.Reply)
        {
            ReleaseReservation();
            _reverseCalls.Receive(this, record, length);
            return null;
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
        return call;
    }

    private void ReleaseInput()
    {
        byte[] input = _input;
        _input = [];
        _inputStart = 0;
        _inputEnd = 0;
        if (input.Length > 0)
            ArrayPool<byte>.Shared.Return(input);
    }

    private void DisposeInput()
    {
        ReleaseInput();
        _records.Dispose();
        ReleaseReservation();
        if (_paused)
            _budget.Resume(this);
    }
}
