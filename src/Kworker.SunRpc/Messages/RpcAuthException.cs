namespace Kworker.SunRpc;

/// <summary>Thrown by a procedure that refuses its caller: the reply is MSG_DENIED, AUTH_ERROR (RFC 5531, 9).</summary>
public sealed class RpcAuthException : Exception
{
    /// <summary>Refuses with AUTH_FAILED.</summary>
    public RpcAuthException()
        : this(RpcAuthStatus.Failed)
    {
    }

    /// <summary>Refuses with a status.</summary>
    public RpcAuthException(RpcAuthStatus status)
        : base($"The caller was refused: {status}.") => Status = status;

    /// <summary>Refuses with AUTH_FAILED and says why to the log.</summary>
    public RpcAuthException(string message)
        : base(message) => Status = RpcAuthStatus.Failed;

    /// <summary>Refuses with AUTH_FAILED and says why to the log.</summary>
    public RpcAuthException(string message, Exception innerException)
        : base(message, innerException) => Status = RpcAuthStatus.Failed;

    /// <summary>What the reply says.</summary>
    public RpcAuthStatus Status { get; }
}
