namespace Kworker.SunRpc;

/// <summary>Whether and where a server makes its programs known (RFC 1833).</summary>
public enum RpcbindMode
{
    /// <summary>Nowhere: clients must name the port.</summary>
    None,

    /// <summary>
    /// With the rpcbind that runs on this machine; else with our own, if we may have its port; else nowhere, with a warning.
    /// </summary>
    Auto,

    /// <summary>With the rpcbind that runs on this machine; starting fails if there is none.</summary>
    System,

    /// <summary>With our own, on the server's addresses; starting fails if its port cannot be had.</summary>
    BuiltIn,
}
