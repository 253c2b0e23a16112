namespace Kworker.Nfsd;

/// <summary>Versions of NFS.</summary>
[Flags]
public enum NfsVersions
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Version 3 (RFC 1813).</summary>
    V3 = 1,

    /// <summary>Version 4.0 (RFC 7530).</summary>
    V40 = 2,

    /// <summary>Version 4.1 (RFC 8881).</summary>
    V41 = 4,

    /// <summary>Version 4.2 (RFC 7862), as far as it is there.</summary>
    V42 = 8,

    /// <summary>Version 4, whatever the minor one.</summary>
    V4 = V40 | V41 | V42,

    /// <summary>All that there are.</summary>
    All = V3 | V4,
}
