using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>The client over a UDP socket: a message that gets no reply is sent again every second.</summary>
internal sealed class RpcUdpClient : RpcClient
{
    private readonly Socket _socket;
    private readonly Task _receiving;

    public RpcUdpClient(IPEndPoint server)
    {
        RemoteEndPoint = server;
        _socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Connect(server);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        _receiving = ReceiveAsync();
    }

    public override IPEndPoint RemoteEndPoint { get; }

    protected override TimeSpan RetransmitAfter => TimeSpan.FromSeconds(1);

    public override async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _receiving.ConfigureAwait(false);
    }

    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.SendAsync(message, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new RpcClientException($"{RemoteEndPoint}: {exception.Message}", null, exception);
        }
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = new byte[65_536];
        try
        {
            while (true)
            {
                int received = await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                Receive(buffer.AsSpan(0, received));
            }
        }
        catch (Exception exception)
        {
            // Also when nobody listens there (ICMP): those who wait are told at once.
            End(exception);
        }
    }
}
