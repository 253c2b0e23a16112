namespace Kworker.SunRpc;

/// <summary>How a caller says who it is (RFC 5531, 8.2).</summary>
public enum RpcAuthFlavor
{
    /// <summary>AUTH_NONE: nobody in particular.</summary>
    None = 0,

    /// <summary>AUTH_SYS: user and group numbers, as the caller's machine says; it is trusted for what they are worth.</summary>
    Sys = 1,

    /// <summary>AUTH_SHORT; not supported here.</summary>
    Short = 2,

    /// <summary>AUTH_DH; not supported here.</summary>
    DiffieHellman = 3,

    /// <summary>RPCSEC_GSS (RFC 2203); not supported here.</summary>
    Gss = 6,
}
