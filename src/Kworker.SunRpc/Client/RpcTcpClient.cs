using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>The client over one TCP connection, with record marking.</summary>
internal sealed class RpcTcpClient : RpcClient
{
    private const int MaximumReply = 1 << 20;
    private const int HighestReservedPort = 1023;
    private const int LowestReservedPort = 600; // below, well-known servers live

    private readonly Socket _socket;
    private readonly Completion _turn = new(); // complete when nobody sends: counts one
    private readonly Task _receiving;

    private RpcTcpClient(Socket socket)
    {
        _socket = socket;
        RemoteEndPoint = (IPEndPoint)socket.RemoteEndPoint!;
        _turn.Complete();
        _receiving = ReceiveAsync();
    }

    public override IPEndPoint RemoteEndPoint { get; }

    protected override TimeSpan RetransmitAfter => TimeSpan.MaxValue;

    /// <summary>Connects, from a reserved port if asked and allowed: rpcbind takes it as a sign of the superuser.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async ValueTask<RpcTcpClient> ConnectAsync(IPEndPoint server, bool fromReservedPort, CancellationToken cancellationToken)
    {
        for (int port = fromReservedPort ? HighestReservedPort : 0; ; port--)
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                if (port > 0)
                {
                    IPAddress any = server.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
                    socket.Bind(new IPEndPoint(any, port));
                }
                await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
                return new RpcTcpClient(socket);
            }
            catch (SocketException exception)
                when (port > 0 && exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable)
            {
                socket.Dispose();
                if (port == LowestReservedPort)
                    port = 1; // then an ordinary one
            }
            catch (SocketException exception) when (port > 0 && exception.SocketErrorCode == SocketError.AccessDenied)
            {
                socket.Dispose();
                port = 1; // we may not have any of them
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _receiving.ConfigureAwait(false);
    }

    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        byte[] record = new byte[4 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(record, 0x8000_0000 | (uint)message.Length);
        message.CopyTo(record.AsMemory(4));
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (int sent = 0; sent < record.Length;)
                sent += await _socket.SendAsync(record.AsMemory(sent), SocketFlags.None, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new RpcClientException($"{RemoteEndPoint}: {exception.Message}", null, exception);
        }
        finally
        {
            _turn.Complete();
        }
    }

    private async Task ReceiveAsync()
    {
        using var records = new RecordReader(MaximumReply);
        byte[] buffer = new byte[16 << 10];
        int held = 0; // bytes of a header that is not whole
        try
        {
            while (true)
            {
                int received = await _socket.ReceiveAsync(buffer.AsMemory(held), SocketFlags.None).ConfigureAwait(false);
                if (received == 0)
                    throw new EndOfStreamException($"{RemoteEndPoint} closed the connection");
                var rest = new ReadOnlySequence<byte>(buffer, 0, held + received);
                while (records.TryRead(ref rest, out byte[]? record, out int length))
                {
                    Receive(record.AsSpan(0, length));
                    if (record!.Length > 0)
                        ArrayPool<byte>.Shared.Return(record);
                }
                held = (int)rest.Length;
                rest.ToArray().CopyTo(buffer, 0);
            }
        }
        catch (Exception exception)
        {
            // However it ended, those who wait are told.
            End(exception);
        }
    }
}
