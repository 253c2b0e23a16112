namespace Kworker.Lockd.Nsm;

/// <summary>The numbers of the network status monitor (XNFS, chapter 11; Linux's <c>sm_inter.x</c>).</summary>
internal static class NsmProtocol
{
    public const uint Program = 100024;
    public const uint Version = 1;

    /// <summary><c>SM_MAXSTRLEN</c>: the longest name, in bytes.</summary>
    public const int MaximumName = 1024;

    /// <summary><c>SM_PRIV_SIZE</c>: bytes that a monitor gives and gets back.</summary>
    public const int PrivateLength = 16;

    public const uint Stat = 1;
    public const uint Mon = 2;
    public const uint Unmon = 3;
    public const uint UnmonAll = 4;
    public const uint SimuCrash = 5;
    public const uint Notify = 6;
}
