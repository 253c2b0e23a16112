namespace Kworker.Lockd.Nlm;

/// <summary>The numbers of the network lock manager (RFC 1813 appendix II; XNFS for versions 1 and 3).</summary>
internal static class NlmProtocol
{
    public const uint Program = 100021;

    /// <summary>32-bit offsets; no shares.</summary>
    public const uint Version1 = 1;

    /// <summary>Version 1 and what DOS needs: SHARE, UNSHARE, NM_LOCK, FREE_ALL.</summary>
    public const uint Version3 = 3;

    /// <summary>64-bit offsets: what goes with NFS version 3.</summary>
    public const uint Version4 = 4;

    /// <summary><c>LM_MAXSTRLEN</c>: the longest name of a caller, in bytes.</summary>
    public const int MaximumName = 1024;

    /// <summary><c>LM_MAXNAMELEN</c>: the longest name in FREE_ALL.</summary>
    public const int MaximumNotifyName = MaximumName + 1;

    /// <summary><c>MAXNETOBJ_SZ</c>: the longest cookie, handle or owner, in bytes.</summary>
    public const int MaximumNetobj = 1024;

    /// <summary>Bytes that NSM keeps for us with a monitored host and gives back when it has rebooted (<c>SM_PRIV_SIZE</c>).</summary>
    public const int PrivateLength = 16;
}
