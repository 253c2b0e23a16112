using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nsm;

/// <summary>
/// Calls programs of many hosts over UDP, until they answer or are given up: for each the port is asked of its rpcbind, then the call made.
/// One socket for each own address that calls are to come from, one <see cref="DelayedWork"/> for each host. Thread-safe.
/// </summary>
/// <remarks>
/// Waits between attempts double, as with <c>sm-notify</c>; each attempt asks for the port anew, since the host may have restarted meanwhile.
/// Calls begun together are spread, so that thousands of hosts do not make a burst that their network drops.
/// </remarks>
internal sealed class NsmCaller : IAsyncDisposable
{
    private const int MaximumDatagram = 4096;
    private const int HighestReservedPort = 1023;
    private const int LowestReservedPort = 600; // below, well-known servers live
    private const int Together = 64;
    private static readonly TimeSpan s_spread = TimeSpan.FromMilliseconds(100);

    private readonly int _rpcbindPort;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WaitQueue _ended = new(); // woken when a call has ended
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, NsmCall> _byXid = []; // _lock
    private readonly HashSet<NsmCall> _calls = []; // _lock; those under way
    private readonly Dictionary<IPAddress, Socket> _sockets = []; // _lock; by the own address, the wildcard for "any"
    private readonly List<Task> _receiving = []; // _lock
    private uint _xid = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4)); // _lock
    private bool _isDisposed; // _lock

    public NsmCaller(int rpcbindPort, KworkerSystem system, ILogger logger)
    {
        _rpcbindPort = rpcbindPort;
        _time = system.TimeProvider;
        _logger = logger;
        Queue = new Workqueue("nsm-notify", new WorkqueueOptions { MaxActive = 4 }, system);
    }

    /// <summary>Where calls are worked on.</summary>
    public Workqueue Queue { get; }

    /// <summary>Calls under way.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _calls.Count;
        }
    }

    /// <summary>Waits until no call is under way.</summary>
    public async ValueTask WhenIdleAsync() =>
        await _ended.WaitEventAsync(this, static caller => caller.Count == 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);

    /// <summary>Begins a call. Its end is told by <see cref="NsmCall.Ended"/>, on a worker.</summary>
    public void Begin(NsmCall call)
    {
        int ahead;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            ahead = _calls.Count;
            _calls.Add(call);
            call.Started = _time.GetTimestamp();
            call.Work = new DelayedWork<NsmCall>(call, Attempt);
        }
        Queue.Queue(call.Work, ahead / Together * s_spread);
    }

    public async ValueTask DisposeAsync()
    {
        NsmCall[] calls;
        Socket[] sockets;
        Task[] receiving;
        lock (_lock)
        {
            _isDisposed = true;
            calls = [.. _calls];
            _calls.Clear();
            sockets = [.. _sockets.Values];
            receiving = [.. _receiving];
        }
        foreach (NsmCall call in calls)
            await call.Work!.CancelSyncAsync().ConfigureAwait(false);
        foreach (Socket socket in sockets)
            socket.Dispose();
        await Task.WhenAll(receiving).ConfigureAwait(false); // none of them throws
        await Queue.DisposeAsync().ConfigureAwait(false);
    }

    // Runs when a call begins, when its answer has come, and when that has not come for too long.
    private void Attempt(NsmCall call)
    {
        NsmAnswer answer;
        lock (_lock)
        {
            if (!_calls.Contains(call))
                return;
            answer = call.Answer;
            call.Answer = NsmAnswer.None;
        }
        switch (answer)
        {
            case NsmAnswer.Port:
                Send(call, new IPEndPoint(call.Address, call.Port), call.Program, call.Version, call.Procedure, call.Arguments[call.Done], asksPort: false);
                break;
            case NsmAnswer.Result when ++call.Done == call.Arguments.Count:
                End(call, isAnswered: true);
                return;
            case NsmAnswer.Result:
                Send(call, new IPEndPoint(call.Address, call.Port), call.Program, call.Version, call.Procedure, call.Arguments[call.Done], asksPort: false);
                break;
            default:
                if (_time.GetElapsedTime(call.Started) >= call.GiveUpAfter)
                {
                    End(call, isAnswered: false);
                    return;
                }
                call.Patience = call.Patience == default ? NsmCall.ShortestPatience : Shorter(call.Patience * 2, NsmCall.LongestPatience);
                AskPort(call);
                break;
        }
        TimeSpan left = call.GiveUpAfter - _time.GetElapsedTime(call.Started);
        // An answer that has come already has queued it, or modifies this.
        Queue.Queue(call.Work!, Shorter(call.Patience, left > TimeSpan.Zero ? left : TimeSpan.Zero));
    }

    private void AskPort(NsmCall call)
    {
        using var writer = new XdrWriter();
        var server = new IPEndPoint(call.Address, _rpcbindPort);
        if (call.Address.AddressFamily == AddressFamily.InterNetwork)
        {
            // Version 2 is spoken by everybody.
            new PortmapMapping(call.Program, call.Version, (uint)RpcTransport.Udp, 0).Write(writer);
            Send(call, server, RpcbindProtocol.Program, RpcbindProtocol.Portmap, RpcbindProtocol.GetAddress, writer.Written.ToArray(), asksPort: true);
        }
        else
        {
            new RpcbindMapping(call.Program, call.Version, "udp6"u8.ToArray(), [], []).Write(writer);
            Send(call, server, RpcbindProtocol.Program, RpcbindProtocol.Version3, RpcbindProtocol.GetAddress, writer.Written.ToArray(), asksPort: true);
        }
    }

    private void Send(NsmCall call, IPEndPoint to, uint program, uint version, uint procedure, byte[] arguments, bool asksPort)
    {
        Socket socket;
        using var writer = new XdrWriter();
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _byXid.Remove(call.Xid);
            while (_byXid.ContainsKey(++_xid))
            {
            }
            call.Xid = _xid;
            call.AsksPort = asksPort;
            call.To = to;
            _byXid.Add(_xid, call);
            writer.WriteUInt32(_xid);
        }
        writer.WriteUInt32(RpcMessageConstants.Call);
        writer.WriteUInt32(RpcMessageConstants.RpcVersion);
        writer.WriteUInt32(program);
        writer.WriteUInt32(version);
        writer.WriteUInt32(procedure);
        for (int i = 0; i < 2; i++) // credential and verifier: AUTH_NONE
        {
            writer.WriteUInt32((uint)RpcAuthFlavor.None);
            writer.WriteUInt32(0);
        }
        writer.WriteFixedOpaque(arguments);
        try
        {
            socket = SocketFor(call);
            socket.SendTo(writer.Written.Span, SocketFlags.None, to);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            NsmLog.NotSent(_logger, call.Address, exception.Message); // The next attempt may fare better.
        }
    }

    private Socket SocketFor(NsmCall call)
    {
        IPAddress any = call.Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        IPAddress from = call.Local is { } local && local.AddressFamily == call.Address.AddressFamily ? local : any;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_sockets.TryGetValue(from, out Socket? socket))
                return socket;
            try
            {
                socket = Bind(from);
            }
            catch (SocketException) when (!from.Equals(any))
            {
                // The address is not ours any more: from another one it may be believed, from none it cannot be.
                if (_sockets.TryGetValue(any, out socket))
                    return socket;
                from = any;
                socket = Bind(any);
            }
            _sockets.Add(from, socket);
            _receiving.Add(ReceiveAsync(socket));
            return socket;
        }
    }

    private static Socket Bind(IPAddress address)
    {
        // A reserved port, if we may have one: some take it for a sign of root.
        for (int port = HighestReservedPort; ; port--)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Bind(new IPEndPoint(address, port < LowestReservedPort ? 0 : port));
                return socket;
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                if (exception.SocketErrorCode == SocketError.AccessDenied && port >= LowestReservedPort)
                    port = LowestReservedPort;
                else if (exception.SocketErrorCode != SocketError.AddressAlreadyInUse || port < LowestReservedPort)
                    throw;
            }
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        byte[] buffer = new byte[MaximumDatagram];
        EndPoint any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any).ConfigureAwait(false);
                Receive(buffer.AsMemory(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint);
            }
            catch (SocketException exception) when (exception.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
            {
                // An ICMP error of an earlier call, or a datagram too long for what we asked: the next receive is another matter.
                NsmLog.NotSent(_logger, ((IPEndPoint)any).Address, exception.Message);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return; // Disposed.
            }
        }
    }

    private void Receive(ReadOnlyMemory<byte> message, IPEndPoint from)
    {
        lock (_lock)
        {
            if (message.Length < 4
                || !_byXid.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(message.Span), out NsmCall? call)
                || !from.Equals(call.To)
                || !TryReadAnswer(message, call))
            {
                return;
            }
            _byXid.Remove(call.Xid);
            if (!_isDisposed)
                Queue.Modify(call.Work!, TimeSpan.Zero);
        }
    }

    /// <summary>_lock: what is no success leaves the call to be tried again in its time: the program may not be up yet.</summary>
    private static bool TryReadAnswer(ReadOnlyMemory<byte> message, NsmCall call)
    {
        try
        {
            var reader = new XdrReader(message);
            reader.ReadUInt32();
            if (reader.ReadUInt32() != RpcMessageConstants.Reply || reader.ReadUInt32() != RpcMessageConstants.Accepted)
                return false;
            reader.ReadUInt32();
            reader.ReadOpaque(RpcMessageConstants.MaximumAuthBody);
            if (reader.ReadInt32() != (int)RpcAcceptStatus.Success)
                return false;
            if (!call.AsksPort)
            {
                call.Result = message[reader.Position..].ToArray();
                call.Answer = NsmAnswer.Result;
                return true;
            }
            int port = call.Address.AddressFamily == AddressFamily.InterNetwork
                ? (int)reader.ReadUInt32()
                : UniversalAddress.TryParse(RpcbindAddress.Read(ref reader).Text, out IPEndPoint? place) ? place!.Port : 0;
            if (port is <= 0 or > 65_535)
                return false;
            call.Port = port;
            call.Answer = NsmAnswer.Port;
            return true;
        }
        catch (XdrException)
        {
            return false; // Not an answer at all.
        }
    }

    private void End(NsmCall call, bool isAnswered)
    {
        lock (_lock)
        {
            _byXid.Remove(call.Xid);
            if (!_calls.Remove(call))
                return;
        }
        call.Ended(call, isAnswered);
        _ended.WakeUpAll();
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
