using System.Diagnostics;
using System.Net;

namespace Kworker.SunRpc;

/// <summary>
/// A client's TCP connection, as seen by those who answer its calls (<see cref="RpcCall.Connection"/>): one object a connection, so it may
/// be compared and be a key; and the way by which the server calls the client (RFC 8881, 2.10.3.1: the back channel).
/// </summary>
/// <remarks>Thread-safe. May be kept for as long as one likes: it holds neither socket nor buffers.</remarks>
[DebuggerDisplay("{RemoteEndPoint}, closed: {IsClosed}")]
internal sealed class RpcConnection
{
    private readonly TcpConnection _tcp;
    private readonly ReverseCalls _calls;
    private readonly Completion _closed = new();

    public RpcConnection(TcpConnection tcp, ReverseCalls calls)
    {
        _tcp = tcp;
        _calls = calls;
    }

    /// <summary>The connection has closed; raised once, without locks, by the thread that reads it. Look at <see cref="IsClosed"/> after adding a handler.</summary>
    public event Action<RpcConnection>? Closed;

    /// <summary>The client's address and port.</summary>
    public IPEndPoint RemoteEndPoint => _tcp.RemoteEndPoint;

    /// <summary>Whether the client can neither call nor answer here any more. True before <see cref="Closed"/> is raised.</summary>
    public bool IsClosed => _closed.IsDone;

    /// <summary>Calls of ours in flight. The table's lock.</summary>
    internal int CallsInFlight { get; set; }

    /// <summary>Calls a procedure of the client's, once, and waits for its result. Opaque components of the result are copies.</summary>
    /// <param name="program">The client's program, as it said in CREATE_SESSION.</param>
    /// <param name="version">Its version.</param>
    /// <param name="procedure">The procedure.</param>
    /// <param name="credential">Who the call is from.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="patience">How long the reply may take.</param>
    /// <param name="cancellationToken">Gives the call up: a reply that comes is dropped.</param>
    /// <exception cref="RpcClientException">The client answered with an error, the connection is or was closed, or more than <see
    /// cref="ReverseCalls.MaximumInFlight"/> calls wait on it.</exception>
    /// <exception cref="RpcTimeoutException">No reply came in time.</exception>
    /// <exception cref="XdrException">The reply is not of its type, or the arguments break a limit of theirs.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<TResult> CallAsync<TArguments, TResult>(
        uint program, uint version, uint procedure, RpcCredential credential, TArguments arguments, TimeSpan patience,
        CancellationToken cancellationToken = default)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        ReverseCall call = _calls.Start(_tcp, program, version, procedure, credential, arguments, patience);
        try
        {
            await call.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // If it is done after all, its bytes go back below.
            _calls.Forget(call);
            call.ReleaseReply();
            throw;
        }
        try
        {
            XdrReader reader = call.Results();
            return TResult.Read(ref reader);
        }
        finally
        {
            call.ReleaseReply();
        }
    }

    /// <summary>Says that it has closed. Once, after the connection takes no call of ours any more.</summary>
    internal void Close()
    {
        _closed.CompleteAll();
        Closed?.Invoke(this);
    }
}
