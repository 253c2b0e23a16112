namespace Kworker.SunRpc;

/// <summary>A call's patience ended without a reply (soft mounts: <c>-ETIMEDOUT</c>).</summary>
internal sealed class RpcTimeoutException(string message) : TimeoutException(message);
