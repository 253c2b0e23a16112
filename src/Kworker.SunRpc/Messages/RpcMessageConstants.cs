namespace Kworker.SunRpc;

/// <summary>The numbers of RFC 5531, 9, that only the message layer sees.</summary>
internal static class RpcMessageConstants
{
    public const uint RpcVersion = 2;
    public const uint Call = 0;
    public const uint Reply = 1;
    public const uint Accepted = 0;
    public const uint Denied = 1;
    public const uint RpcMismatch = 0;
    public const uint AuthError = 1;

    /// <summary>The longest body of a credential or verifier, in bytes.</summary>
    public const int MaximumAuthBody = 400;
}
