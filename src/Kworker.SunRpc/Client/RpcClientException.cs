namespace Kworker.SunRpc;

/// <summary>A call that got no results: an error of the RPC layer, or a connection that ended or could not be made.</summary>
internal sealed class RpcClientException(string message, RpcAcceptStatus? status = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>What the server answered; null if it denied the call, or did not answer at all.</summary>
    public RpcAcceptStatus? Status { get; } = status;

    /// <summary>Why the server denied the call; null if it did not.</summary>
    public RpcAuthStatus? AuthStatus { get; init; }
}
