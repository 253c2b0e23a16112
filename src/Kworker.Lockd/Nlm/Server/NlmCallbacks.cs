using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nlm;

/// <summary>Calls to clients' lock managers, which their rpcbind finds: GRANTED, and the results of asynchronous calls. Thread-safe.</summary>
internal sealed class NlmCallbacks : IAsyncDisposable
{
    private readonly NlmServerOptions _options;
    private readonly Workqueue _queue; // the results' work
    private readonly Workqueue _transports; // of the RPC clients: theirs goes on when the other queue is full of calls that wait for them
    private readonly ILogger _logger;
    private readonly RpcClientOptions _clientOptions;
    private int _replies; // results under way; interlocked
    private int _cookie; // interlocked

    public NlmCallbacks(NlmServerOptions options, KworkerSystem system, Workqueue queue, ILogger logger)
    {
        _options = options;
        _queue = queue;
        _logger = logger;
        _transports = new Workqueue("lockd-rpc", new WorkqueueOptions { Unbound = true }, system);
        _clientOptions = new RpcClientOptions
        {
            Queue = _transports,
            System = system,
            IsSoft = true,
            IsSoftConnect = true,
            FromReservedPort = true,
            // Once, and then patience ends: a client's lock manager that got GRANTED twice would deny the second.
            Timeouts = RpcTimeouts.Linear(options.CallbackTimeout, 0),
        };
    }

    /// <summary>Tells a client that it has the lock that it waits for, and waits for its answer.</summary>
    public async ValueTask<NlmCallResult<Nlm4Res>> GrantedAsync(NlmBlock block, CancellationToken cancellationToken)
    {
        var cookie = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(cookie, Interlocked.Increment(ref _cookie));
        var arguments = new Nlm4TestArgs(cookie, block.Kind == Locks.LockKind.Write, block.Asked with { CallerName = s_name });
        RpcTransport transport;
        lock (block.Host.Lock)
            transport = block.Host.Transport;
        return block.Version == NlmProtocol.Version4
            ? await CallAsync<Nlm4TestArgs, Nlm4Res>(block.Host, transport, block.Version, NlmProcedure.Granted, arguments, cancellationToken)
            : await CallAsync<NlmTestArgs, Nlm4Res>(
                block.Host, transport, block.Version, NlmProcedure.Granted, new NlmTestArgs(cookie, arguments.Exclusive, arguments.Lock.ToV1()), cancellationToken);
    }

    /// <summary>Sends the result of an asynchronous call: as a call of its own, once. Dropped if too many are under way.</summary>
    /// <param name="call">The call; not used any more when this returns.</param>
    /// <param name="procedure">The procedure of the client's that takes the result.</param>
    /// <param name="result">The result; nothing in it is the call's.</param>
    public void Reply<TResult>(RpcCall call, NlmProcedure procedure, TResult result)
        where TResult : IXdr<TResult>
    {
        if (Interlocked.Increment(ref _replies) > _options.MaximumAsyncReplies)
        {
            Interlocked.Decrement(ref _replies);
            return;
        }
        // Of the call, an address and three numbers: the host need not be known for it.
        var host = new NlmHost(call.RemoteEndPoint.Address, "");
        (RpcTransport transport, uint version) = (call.Transport, call.Version);
        var work = new Work<NlmCallbacks>(this, async (self, cancellation) =>
        {
            try
            {
                NlmCallResult<XdrVoid> sent = await self.CallAsync<TResult, XdrVoid>(host, transport, version, procedure, result, cancellation);
                if (sent.Reason is { } reason)
                    LockdLog.CallbackFailed(self._logger, host.ToString(), procedure.ToString(), reason);
            }
            finally
            {
                Interlocked.Decrement(ref self._replies);
            }
        });
        _queue.Queue(work);
    }

    /// <summary>After the last call.</summary>
    public ValueTask DisposeAsync() => _transports.DisposeAsync();

    private static readonly byte[] s_name = global::System.Text.Encoding.UTF8.GetBytes(Dns.GetHostName());

    private async ValueTask<NlmCallResult<TResult>> CallAsync<TArguments, TResult>(
        NlmHost host, RpcTransport transport, uint version, NlmProcedure procedure, TArguments arguments, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : struct, IXdr<TResult>
    {
        int port;
        try
        {
            port = await FindPortAsync(host, transport, version, cancellationToken);
            if (port == 0)
                return new NlmCallResult<TResult>(null, $"its rpcbind knows no NLM version {version} over {transport}", false);
        }
        catch (Exception exception) when (IsUnreachable(exception))
        {
            return new NlmCallResult<TResult>(null, $"its rpcbind: {exception.Message}", false);
        }
        await using var client = new RpcClient(new IPEndPoint(host.Address, port), transport, _clientOptions);
        var task = new RpcAwaitedTask();
        try
        {
            client.Start(task, NlmProtocol.Program, version, (uint)procedure, arguments);
            await task.Done.WaitAsync(cancellationToken);
            XdrReader reader = task.Results();
            return new NlmCallResult<TResult>(TResult.Read(ref reader), null, task.Sends > 1);
        }
        catch (Exception exception) when (IsUnreachable(exception))
        {
            lock (host.Lock)
                host.Ports.Remove((transport, version)); // it may have moved
            return new NlmCallResult<TResult>(null, exception.Message, task.Sends > 0 && exception is not RpcClientException { Status: not null });
        }
        finally
        {
            task.ReleaseReply();
        }
    }

    private async ValueTask<int> FindPortAsync(NlmHost host, RpcTransport transport, uint version, CancellationToken cancellationToken)
    {
        lock (host.Lock)
        {
            if (host.Ports.TryGetValue((transport, version), out int known))
                return known;
        }
        int port = await RpcbindClient.GetPortAsync(
            new IPEndPoint(host.Address, _options.ClientRpcbindPort), NlmProtocol.Program, version, transport, _clientOptions.Timeouts, cancellationToken);
        if (port != 0)
        {
            lock (host.Lock)
                host.Ports[(transport, version)] = port;
        }
        return port;
    }

    private static bool IsUnreachable(Exception exception) => exception is SocketException or RpcClientException or TimeoutException or XdrException;
}
