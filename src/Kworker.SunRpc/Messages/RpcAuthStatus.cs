namespace Kworker.SunRpc;

/// <summary>Why a caller was refused: <c>auth_stat</c> (RFC 5531, 9).</summary>
public enum RpcAuthStatus
{
    /// <summary>AUTH_OK: not refused.</summary>
    Ok = 0,

    /// <summary>AUTH_BADCRED: the credential is malformed or of a flavor that is not supported.</summary>
    BadCredential = 1,

    /// <summary>AUTH_REJECTEDCRED: the client must begin a new session.</summary>
    RejectedCredential = 2,

    /// <summary>AUTH_BADVERF: the verifier is malformed.</summary>
    BadVerifier = 3,

    /// <summary>AUTH_REJECTEDVERF: the verifier expired or was replayed.</summary>
    RejectedVerifier = 4,

    /// <summary>AUTH_TOOWEAK: refused for reasons of security.</summary>
    TooWeak = 5,

    /// <summary>AUTH_INVALIDRESP: a bogus verifier in a reply; clients only.</summary>
    InvalidResponse = 6,

    /// <summary>AUTH_FAILED: for an unknown reason.</summary>
    Failed = 7,
}
