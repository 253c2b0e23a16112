using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>
/// A UDP socket of the server: a call a datagram, a reply a datagram. While too many calls are in flight it does not read: the kernel then
/// drops.
/// </summary>
/// <remarks>Bound to the wildcard address, replies leave by the address that routing picks; a machine with several is better served by
/// naming them.</remarks>
[DebuggerDisplay("{LocalEndPoint}, {_inFlight} in flight")]
internal sealed class UdpTransport : RpcPeer, IDisposable
{
    private const int MaximumDatagram = 65_507; // of IPv4; IPv6 could carry 20 bytes more
    private const int ReceiveBuffer = 65_536;

    private readonly Socket _socket;
    private readonly RpcDispatcher _dispatcher;
    private readonly RpcServerOptions _options;
    private readonly ILogger _logger;
    private readonly WaitQueue _progress = new(); // woken when a call has left, and when the socket is drained
    private readonly CancellationTokenSource _stop = new();
    private int _inFlight; // interlocked

    /// <summary>Serves on a bound socket, which is this transport's from here on.</summary>
    public UdpTransport(Socket socket, RpcDispatcher dispatcher, RpcServerOptions options, ILogger logger)
    {
        _dispatcher = dispatcher;
        _options = options;
        _logger = logger;
        _socket = socket;
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool HasRoom => Volatile.Read(ref _inFlight) < _options.MaximumUdpCalls;

    /// <summary>Serves until <see cref="Drain"/>, then until the last call has been answered. Does not throw.</summary>
    public async Task RunAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReceiveBuffer);
        EndPoint any = new IPEndPoint(LocalEndPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _progress.WaitEventAsync(
                    this, static transport => transport.HasRoom, Timeout.InfiniteTimeSpan, cancellationToken: _stop.Token).ConfigureAwait(false);
                SocketReceiveMessageFromResult received =
                    await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, any, _stop.Token).ConfigureAwait(false);
                Enter(buffer.AsSpan(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint, received.PacketInformation.Address);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (SocketException exception)
            {
                // An ICMP error of an earlier reply is reported at a later receive; the socket goes on.
                RpcLog.ReplyNotSent(_logger, LocalEndPoint, exception.Message);
            }
            catch (Exception exception)
            {
                // A fault of ours is one datagram's, not the socket's.
                RpcLog.TransportFailed(_logger, exception, $"receiving on {LocalEndPoint}");
            }
        }
        ArrayPool<byte>.Shared.Return(buffer);
        await _progress.WaitEventAsync(
            this, static transport => Volatile.Read(ref transport._inFlight) == 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        Dispose();
    }

    /// <summary>Reads no further call.</summary>
    public void Drain() => _stop.Cancel();

    /// <summary>Closes the socket.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _stop.Dispose();
    }

    public override void Answer(RpcCall call)
    {
        try
        {
            // A datagram is taken or dropped by the kernel at once; the send buffer empties at the speed of the device.
            _socket.SendTo(call.Reply.Written.Span, SocketFlags.None, call.RemoteEndPoint);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            RpcLog.ReplyNotSent(_logger, call.RemoteEndPoint, exception.Message);
        }
        Discard(call);
    }

    public override void Discard(RpcCall call)
    {
        _dispatcher.Pool.Return(call);
        Interlocked.Decrement(ref _inFlight);
        _progress.WakeUpAll();
    }

    // Noise on the port is ignored: an answer to whatever arrives would let two servers talk to each other for ever.
    public override void Refuse(RpcCall call) => Discard(call);

    private void Enter(ReadOnlySpan<byte> datagram, IPEndPoint remote, IPAddress? local)
    {
        byte[] request = ArrayPool<byte>.Shared.Rent(Math.Max(1, datagram.Length));
        datagram.CopyTo(request);
        RpcCall call = _dispatcher.Pool.Rent();
        call.Begin(request, datagram.Length, 0, Math.Min(MaximumDatagram, _options.MaximumRecord));
        call.Peer = this;
        call.Transport = RpcTransport.Udp;
        call.RemoteEndPoint = RpcServer.Unmapped(remote);
        call.LocalEndPoint = local is null ? LocalEndPoint : RpcServer.Unmapped(new IPEndPoint(local, LocalEndPoint.Port));
        Interlocked.Increment(ref _inFlight);
        _dispatcher.Submit(call);
    }
}
