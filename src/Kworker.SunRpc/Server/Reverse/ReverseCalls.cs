using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Kworker.SunRpc;

/// <summary>
/// The calls of a server to its clients that have no reply yet, over all connections. One delayed work item scans them for those whose time
/// is over, and arms itself again; none has a timer. Thread-safe.
/// </summary>
/// <remarks>
/// Nothing is sent twice: over TCP a call is lost only with its connection (RFC 8881, 2.9.2), and then it has failed. A call leaves the
/// table once, under the lock, and whoever takes it out finishes it. What clients can have kept here is bounded by what we ask: a reply is
/// held only if it is as short as a reply may be and its call waits on that very connection; all others are dropped as they come.
/// </remarks>
[DebuggerDisplay("{_inFlight.Count} in flight")]
internal sealed class ReverseCalls
{
    /// <summary>Calls that may wait on one connection.</summary>
    public const int MaximumInFlight = 64;

    /// <summary>Bytes of the longest reply.</summary>
    public const int MaximumReply = 64 << 10;

    private static readonly TimeSpan s_granule = TimeSpan.FromMilliseconds(20); // scans are at least this far apart

    private readonly Lock _lock = new();
    private readonly Dictionary<uint, ReverseCall> _inFlight = []; // _lock
    private readonly Workqueue _queue;
    private readonly RpcCallPool _pool;
    private readonly TimeProvider _time;

    /// <summary>
    /// Armed for <see cref="_scanDue"/> or earlier, or running and about to look, while any call is in flight: whoever adds a call arms it
    /// under the lock; the scan takes the same lock to look and to arm itself.
    /// </summary>
    private readonly DelayedWork<ReverseCalls> _scan;

    private long _scanDue = long.MaxValue; // _lock; time stamp
    private uint _xid = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4)); // _lock

    public ReverseCalls(Workqueue queue, RpcCallPool pool, TimeProvider time)
    {
        _queue = queue;
        _pool = pool;
        _time = time;
        _scan = new DelayedWork<ReverseCalls>(this, static calls => calls.ScanTimeouts());
    }

    /// <summary>Sends a call; the task is done when its reply is there, its time is over or the connection has closed.</summary>
    public ReverseCall Start<TArguments>(
        TcpConnection connection, uint program, uint version, uint procedure, RpcCredential credential, TArguments arguments, TimeSpan patience)
        where TArguments : IXdr<TArguments>
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(patience, TimeSpan.Zero);
        var task = new ReverseCall(connection) { What = $"program {program} version {version} procedure {procedure} at {connection.RemoteEndPoint}" };
        Add(task, patience);
        RpcCall message = _pool.Rent();
        try
        {
            connection.BeginMessage(message);
            Write(message.Reply, task.Xid, program, version, procedure, credential, arguments);
        }
        catch
        {
            _pool.Return(message);
            Forget(task);
            throw;
        }
        if (!connection.TrySend(message))
        {
            _pool.Return(message);
            Fail(task, new RpcClientException("the connection is closed"));
        }
        return task;
    }

    /// <summary>Nobody waits for the call any more.</summary>
    public void Forget(ReverseCall task)
    {
        lock (_lock)
            TakeOut(task);
    }

    /// <summary>Takes a reply that came in, in a pooled array that is ours now. What no call of that connection waits for is dropped.</summary>
    public void Receive(TcpConnection connection, byte[] message, int length)
    {
        ReverseCall? task = null;
        if (length <= MaximumReply)
        {
            lock (_lock)
            {
                // Taken out, so that a reply that comes twice is taken once. An xid that was overheard is of no use on another connection.
                bool isAwaited = _inFlight.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(message), out task) &&
                    ReferenceEquals(task.Connection, connection) && TakeOut(task);
                if (isAwaited)
                    task!.SetReply(message, length);
                else
                    task = null;
            }
        }
        if (task is null)
            ArrayPool<byte>.Shared.Return(message);
        else
            task.Finish();
    }

    /// <summary>The connection has closed: its calls fail. None is added after that, because it takes none to send.</summary>
    public void FailAll(TcpConnection connection)
    {
        ReverseCall[] failed;
        lock (_lock)
        {
            if (connection.Handle.CallsInFlight == 0)
                return;
            failed = [.. _inFlight.Values.Where(task => ReferenceEquals(task.Connection, connection))];
        }
        foreach (ReverseCall task in failed)
            Fail(task, new RpcClientException("the client closed the connection"));
    }

    /// <summary>Looks no more. Called once all connections have closed.</summary>
    public async ValueTask StopAsync() => await _scan.DisableSyncAsync().ConfigureAwait(false);

    private static void Write<TArguments>(
        XdrWriter writer, uint xid, uint program, uint version, uint procedure, RpcCredential credential, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        writer.WriteUInt32(xid);
        writer.WriteUInt32(RpcMessageConstants.Call);
        writer.WriteUInt32(RpcMessageConstants.RpcVersion);
        writer.WriteUInt32(program);
        writer.WriteUInt32(version);
        writer.WriteUInt32(procedure);
        credential.Write(writer);
        arguments.Write(writer);
    }

    private void Add(ReverseCall task, TimeSpan patience)
    {
        lock (_lock)
        {
            RpcConnection handle = task.Connection.Handle;
            if (handle.CallsInFlight >= MaximumInFlight)
                throw new RpcClientException($"{task.What}: {MaximumInFlight} calls wait for replies already");
            long now = _time.GetTimestamp();
            task.Deadline = now + (long)((Int128)patience.Ticks * _time.TimestampFrequency / TimeSpan.TicksPerSecond);
            while (_inFlight.ContainsKey(_xid))
                _xid++;
            task.Xid = _xid++;
            _inFlight.Add(task.Xid, task);
            handle.CallsInFlight++;
            task.IsInFlight = true;
            ArmScan(task.Deadline, now);
        }
    }

    private void Fail(ReverseCall task, Exception error)
    {
        lock (_lock)
        {
            if (!TakeOut(task))
                return;
            task.Error = error;
        }
        task.Finish();
    }

    // Under the lock. False if it is out already.
    private bool TakeOut(ReverseCall task)
    {
        if (!task.IsInFlight)
            return false;
        task.IsInFlight = false;
        _inFlight.Remove(task.Xid);
        task.Connection.Handle.CallsInFlight--;
        return true;
    }

    // Under the lock.
    private void ArmScan(long due, long now)
    {
        if (due >= _scanDue)
            return;
        _scanDue = due;
        _queue.Modify(_scan, _time.GetElapsedTime(now, due));
    }

    private void ScanTimeouts()
    {
        List<ReverseCall>? failed = null;
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            long earliest = long.MaxValue;
            foreach (ReverseCall task in _inFlight.Values)
            {
                if (task.Deadline <= now)
                    (failed ??= []).Add(task);
                else
                    earliest = Math.Min(earliest, task.Deadline);
            }
            foreach (ReverseCall task in failed ?? [])
            {
                TakeOut(task);
                task.Error = new RpcTimeoutException($"{task.What}: no reply in time");
            }
            // With nothing in flight it rests; the next call arms it.
            _scanDue = long.MaxValue;
            if (earliest != long.MaxValue)
                ArmScan(Math.Max(earliest, now + (long)(s_granule.TotalSeconds * _time.TimestampFrequency)), now);
        }
        foreach (ReverseCall task in failed ?? [])
            task.Finish();
    }
}
