using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;

namespace Kworker.SunRpc;

/// <summary>A small RPC client, for rpcbind: AUTH_NONE, many calls in flight, a time limit for each. Thread-safe.</summary>
internal abstract class RpcClient : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, RpcPendingCall> _pending = []; // _lock
    private uint _xid = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4)); // _lock
    private Exception? _ended; // _lock; why no reply can come any more

    /// <summary>The server.</summary>
    public abstract IPEndPoint RemoteEndPoint { get; }

    /// <summary>How long to wait before the same message is sent again; infinite where the transport does not lose any.</summary>
    protected abstract TimeSpan RetransmitAfter { get; }

    /// <summary>Calls a procedure and waits for its result.</summary>
    /// <exception cref="RpcClientException">The server answered with an error, or the connection ended.</exception>
    /// <exception cref="TimeoutException">No reply came in time.</exception>
    /// <exception cref="XdrException">The result is not of its type.</exception>
    public async ValueTask<TResult> CallAsync<TArguments, TResult>(
        uint program, uint version, uint procedure, TArguments arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        RpcPendingCall call = Enter();
        try
        {
            byte[] message = Encode(call.Xid, program, version, procedure, arguments);
            byte[] reply = await ExchangeAsync(call, message, timeout, cancellationToken).ConfigureAwait(false);
            return Decode<TResult>(reply, $"program {program} version {version} procedure {procedure} at {RemoteEndPoint}");
        }
        finally
        {
            lock (_lock)
                _pending.Remove(call.Xid);
        }
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Sends one message, whole.</summary>
    protected abstract ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>Takes a reply that arrived; one that nobody waits for is dropped.</summary>
    protected void Receive(ReadOnlySpan<byte> message)
    {
        if (message.Length < 4)
            return;
        lock (_lock)
        {
            // Removed, so that a reply that comes twice is taken once.
            if (_pending.Remove(BinaryPrimitives.ReadUInt32BigEndian(message), out RpcPendingCall? call))
                call.SetReply(message.ToArray());
        }
    }

    /// <summary>Fails every call that waits, and those to come.</summary>
    protected void End(Exception error)
    {
        lock (_lock)
        {
            _ended ??= error;
            foreach (RpcPendingCall call in _pending.Values)
                call.SetError(_ended);
            _pending.Clear();
        }
    }

    private RpcPendingCall Enter()
    {
        lock (_lock)
        {
            if (_ended is not null)
                throw new RpcClientException(_ended.Message, null, _ended);
            while (_pending.ContainsKey(_xid))
                _xid++;
            var call = new RpcPendingCall(_xid++);
            _pending.Add(call.Xid, call);
            return call;
        }
    }

    private async ValueTask<byte[]> ExchangeAsync(
        RpcPendingCall call, byte[] message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        TimeSpan left = timeout;
        while (left > TimeSpan.Zero)
        {
            await SendAsync(message, cancellationToken).ConfigureAwait(false);
            TimeSpan turn = RetransmitAfter < left ? RetransmitAfter : left;
            WaitResult result = await call.Answered.WaitAsync(turn, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (result.IsDone)
                return call.Reply;
            left -= turn;
        }
        throw new TimeoutException($"{RemoteEndPoint} did not answer within {timeout.TotalSeconds} s.");
    }

    private static byte[] Encode<TArguments>(uint xid, uint program, uint version, uint procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        using var writer = new XdrWriter();
        writer.WriteUInt32(xid);
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
        arguments.Write(writer);
        return writer.Written.ToArray();
    }

    private static TResult Decode<TResult>(byte[] reply, string what)
        where TResult : IXdr<TResult>
    {
        var reader = new XdrReader(reply.AsMemory());
        reader.ReadUInt32();
        if (reader.ReadUInt32() != RpcMessageConstants.Reply)
            throw new RpcClientException($"{what}: the answer is no reply");
        if (reader.ReadUInt32() != RpcMessageConstants.Accepted)
        {
            bool mismatch = reader.ReadUInt32() == RpcMessageConstants.RpcMismatch;
            throw new RpcClientException(
                $"{what}: denied, " + (mismatch ? "RPC version 2 is not spoken" : $"{(RpcAuthStatus)reader.ReadInt32()}"));
        }
        reader.ReadUInt32();
        reader.ReadOpaque(RpcMessageConstants.MaximumAuthBody);
        var status = (RpcAcceptStatus)reader.ReadInt32();
        if (status != RpcAcceptStatus.Success)
            throw new RpcClientException($"{what}: {status}", status);
        return TResult.Read(ref reader);
    }
}
