using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>A client's connected socket: records over TCP, a message a datagram over UDP. It ends once, by whichever error comes first.</summary>
[DebuggerDisplay("{_socket.LocalEndPoint}")]
internal sealed class RpcClientConnection(RpcClient client, Socket socket, RpcTransport transport, int maximumReply)
{
    private const int ReceiveBuffer = 256 << 10;
    private const int MaximumDatagram = 65_536;

    private readonly Socket _socket = socket;
    private int _hasEnded; // interlocked; 1: the client has been told

    /// <summary>Done when nothing is received any more. Never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to receive.</summary>
    public void Start() => Ended = transport == RpcTransport.Tcp ? ReceiveStreamAsync() : ReceiveDatagramsAsync();

    /// <summary>Sends messages, whole. By the client's one sender.</summary>
    public async ValueTask SendAsync(List<ArraySegment<byte>> messages, CancellationToken cancellationToken)
    {
        if (transport == RpcTransport.Udp)
        {
            foreach (ArraySegment<byte> message in messages)
                await _socket.SendAsync(message.AsMemory(), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            return;
        }
        while (messages.Count > 0)
        {
            // One gathering write for all: small calls that were made together cost one system call.
            int sent = messages.Count == 1
                ? await _socket.SendAsync(messages[0].AsMemory(), SocketFlags.None, cancellationToken).ConfigureAwait(false)
                : await _socket.SendAsync(messages, SocketFlags.None).ConfigureAwait(false);
            Skip(messages, sent);
        }
    }

    /// <summary>Closes it without a word to the client.</summary>
    public void Close()
    {
        Interlocked.Exchange(ref _hasEnded, 1);
        _socket.Dispose();
    }

    /// <summary>Closes it and tells the client why.</summary>
    public void Fail(Exception error)
    {
        _socket.Dispose();
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0)
            client.Lost(this, error);
    }

    private static void Skip(List<ArraySegment<byte>> messages, int sent)
    {
        int whole = 0;
        while (whole < messages.Count && sent >= messages[whole].Count)
            sent -= messages[whole++].Count;
        messages.RemoveRange(0, whole);
        if (sent > 0)
            messages[0] = messages[0][sent..];
    }

    private async Task ReceiveStreamAsync()
    {
        using var records = new RecordReader(maximumReply);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReceiveBuffer);
        try
        {
            while (true)
            {
                int received = await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                if (received == 0)
                    throw new EndOfStreamException("the server closed the connection");
                ReadOnlySpan<byte> rest = buffer.AsSpan(0, received);
                while (records.TryRead(ref rest, out byte[]? record, out int length))
                    client.Receive(record!, length);
            }
        }
        catch (Exception exception)
        {
            // However it ended, the client is told.
            Fail(exception);
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private async Task ReceiveDatagramsAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaximumDatagram);
        try
        {
            while (true)
            {
                int received = await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                byte[] message = ArrayPool<byte>.Shared.Rent(Math.Max(1, received));
                buffer.AsSpan(0, received).CopyTo(message);
                client.Receive(message, received);
            }
        }
        catch (Exception exception)
        {
            // Also when nobody listens there (ICMP).
            Fail(exception);
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
