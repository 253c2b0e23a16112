using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.SunRpc;

/// <summary>
/// An RPC client over one transport to one server (<c>rpc_clnt</c> and <c>rpc_xprt</c>): many calls in flight, sent again when no reply
/// comes and when a connection was lost, under the same xid, so that the server knows them again. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Three parts, a file each: the table of calls in flight (here); what is sent, by one work item that is the only sender and the only
/// one to connect (Transmit); and one delayed work item that scans the table for time-outs and arms itself again (Timeouts).</para>
/// <para>A task leaves the table once, under the lock, and whoever takes it out finishes it: reply, error and cancellation exclude each
/// other so.</para>
/// </remarks>
[DebuggerDisplay("{_name}, {_inFlight.Count} in flight")]
internal sealed partial class RpcClient : IAsyncDisposable
{
    private const int MaximumDatagram = 65_507; // of IPv4; IPv6 could carry 20 bytes more

    private readonly Lock _lock = new();
    private readonly Dictionary<uint, RpcTask> _inFlight = []; // _lock
    private readonly RpcClientOptions _options;
    private readonly RpcTransport _transport;
    private readonly RpcTimeouts _timeouts;
    private readonly Workqueue _queue;
    private readonly bool _ownsQueue;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _name;
    private uint _xid = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4)); // _lock
    private bool _isDisposed; // _lock

    /// <summary>A client that connects when the first call is made.</summary>
    public RpcClient(IPEndPoint server, RpcTransport transport, RpcClientOptions? options = null)
    {
        _options = options ?? new RpcClientOptions();
        RemoteEndPoint = server;
        _transport = transport;
        _timeouts = _options.Timeouts ?? (transport == RpcTransport.Udp ? RpcTimeouts.Udp : RpcTimeouts.Tcp);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_timeouts.Initial, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaximumInFlight, 1, nameof(options));
        _name = _options.ServerName ?? server.ToString();
        _ownsQueue = _options.Queue is null;
        KworkerSystem system = _options.System ?? KworkerSystem.Current;
        _queue = _options.Queue ?? new Workqueue("rpciod", new WorkqueueOptions { Unbound = true }, system);
        _time = system.TimeProvider;
        _logger = _options.Logger ?? NullLogger.Instance;
        _reconnectDelay = _options.ReconnectDelay;
        _transmit = new DelayedWork<RpcClient>(this, static (client, _) => client.TransmitAsync());
        _scan = new DelayedWork<RpcClient>(this, static client => client.ScanTimeouts());
    }

    /// <summary>The server.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>
    /// The server does not respond (false), or does again (true). Raised on a worker, or where the reply came in, as often as the log says
    /// so.
    /// </summary>
    public event Action<RpcClient, bool>? RespondingChanged;

    /// <summary>Calls a procedure and waits for its result. Opaque components of the result are copies.</summary>
    /// <exception cref="RpcClientException">The server answered with an error, or cannot be reached.</exception>
    /// <exception cref="RpcTimeoutException">No reply came in time, and the client is soft.</exception>
    /// <exception cref="XdrException">The reply is not of its type.</exception>
    /// <exception cref="ObjectDisposedException">The client is gone.</exception>
    public async ValueTask<TResult> CallAsync<TArguments, TResult>(
        uint program, uint version, uint procedure, TArguments arguments, CancellationToken cancellationToken = default)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        var task = new RpcAwaitedTask();
        Start(task, program, version, procedure, arguments);
        await WaitAsync(task, cancellationToken).ConfigureAwait(false);
        try
        {
            XdrReader reader = task.Results();
            return TResult.Read(ref reader);
        }
        finally
        {
            task.ReleaseReply();
        }
    }

    /// <summary>Makes a call; when it is done, <paramref name="task"/> is told. A task is used once.</summary>
    /// <exception cref="XdrException">The arguments break a limit of their type. The task is not told.</exception>
    /// <exception cref="ObjectDisposedException">The client is gone. The task is not told.</exception>
    public void Start<TArguments>(RpcTask task, uint program, uint version, uint procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        if (task is RpcAsyncTask asynchronous)
            asynchronous.BindTo(_queue);
        task.What = $"program {program} version {version} procedure {procedure} at {_name}";
        task.Message = Encode(program, version, procedure, arguments);
        if (_transport == RpcTransport.Udp && task.Message.Position > MaximumDatagram)
        {
            task.Message.Dispose();
            throw new XdrException($"the arguments make a message of more than the {MaximumDatagram} bytes of a datagram");
        }
        try
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                while (_inFlight.ContainsKey(_xid))
                    _xid++;
                task.Xid = _xid++;
                PutXid(task.Message, task.Xid);
                _inFlight.Add(task.Xid, task);
                task.IsInFlight = true;
                StartClock(task);
                Line(task);
            }
        }
        catch (ObjectDisposedException)
        {
            task.Message.Dispose();
            task.Message = null;
            throw;
        }
        KickTransmit();
    }

    /// <summary>Ends a call that nobody wants any more: a reply that comes is dropped.</summary>
    /// <returns>False if it is done already.</returns>
    public bool Cancel(RpcTask task, Exception why)
    {
        lock (_lock)
        {
            if (!TakeOut(task))
                return false;
            task.Error = why;
        }
        KickTransmit(); // another may go out in its place
        task.Finish();
        return true;
    }

    /// <summary>Fails the calls in flight and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        RpcTask[] failed;
        RpcClientConnection? connection;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            failed = [.. _inFlight.Values];
            foreach (RpcTask task in failed)
            {
                TakeOut(task);
                task.Error = new ObjectDisposedException(_name, "the client was closed");
            }
            connection = _connection;
            _connection = null;
        }
        foreach (RpcTask task in failed)
            task.Finish();
        await _stop.CancelAsync().ConfigureAwait(false); // ends an attempt to connect
        connection?.Close();
        await _transmit.DisableSyncAsync().ConfigureAwait(false);
        await _scan.DisableSyncAsync().ConfigureAwait(false);
        if (connection is not null)
            await connection.Ended.ConfigureAwait(false);
        if (_ownsQueue)
            await _queue.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Takes a message that arrived, in a pooled array that is the client's now. What no call waits for is dropped.</summary>
    internal void Receive(byte[] message, int length)
    {
        RpcTask? task = null;
        bool isBack = false;
        bool hasRoom = false;
        if (length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(4)) == RpcMessageConstants.Reply)
        {
            lock (_lock)
            {
                // Taken out, so that a reply that comes twice is taken once.
                if (_inFlight.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(message), out task) && TakeOut(task))
                {
                    task.SetReply(message, length);
                    isBack = _isSilent;
                    _isSilent = false;
                    _reconnectDelay = _options.ReconnectDelay;
                    hasRoom = _line.Count > 0;
                }
            }
        }
        if (task is null)
        {
            if (message.Length > 0)
                ArrayPool<byte>.Shared.Return(message);
            return;
        }
        if (isBack)
        {
            RpcClientLog.Ok(_logger, _name);
            RaiseResponding(true);
        }
        if (hasRoom)
            KickTransmit();
        task.Finish();
    }

    // What a handler throws must not cost others their replies.
    private void RaiseResponding(bool responds)
    {
        try
        {
            RespondingChanged?.Invoke(this, responds);
        }
        catch (Exception exception)
        {
            RpcClientLog.HandlerFailed(_logger, exception, _name);
        }
    }

    private async ValueTask WaitAsync(RpcAwaitedTask task, CancellationToken cancellationToken)
    {
        try
        {
            await task.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            // If it is done after all, its bytes go back.
            if (!Cancel(task, exception))
                task.ReleaseReply();
            throw;
        }
    }

    /// <summary>Takes a task out of the table and lets go of its message. Under the lock. False if it is out already.</summary>
    private bool TakeOut(RpcTask task)
    {
        if (!task.IsInFlight)
            return false;
        task.IsInFlight = false;
        _inFlight.Remove(task.Xid);
        if (task.Sends > 0)
            _sent--;
        ReleaseMessage(task);
        return true;
    }

    // While it is being sent, the sender lets go of it.
    private static void ReleaseMessage(RpcTask task)
    {
        if (task.IsSending || task.IsInFlight)
            return;
        task.Message?.Dispose();
        task.Message = null;
    }

    private XdrWriter Encode<TArguments>(uint program, uint version, uint procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        var writer = new XdrWriter();
        try
        {
            writer.WriteUInt32(0); // the record mark
            writer.WriteUInt32(0); // the xid
            writer.WriteUInt32(RpcMessageConstants.Call);
            writer.WriteUInt32(RpcMessageConstants.RpcVersion);
            writer.WriteUInt32(program);
            writer.WriteUInt32(version);
            writer.WriteUInt32(procedure);
            _options.Credential.Write(writer);
            arguments.Write(writer);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private static void PutXid(XdrWriter message, uint xid)
    {
        int end = message.Position;
        message.Position = 0;
        message.WriteUInt32(0x8000_0000 | (uint)(end - 4)); // the one and last fragment
        message.WriteUInt32(xid);
        message.Position = end;
    }
}
