using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// The types of SHARE, UNSHARE and FREE_ALL in nlm4_prot.x; the same in version 3.

/// <summary><c>fsh4_mode</c>: what others are denied.</summary>
[Xdr]
internal enum Fsh4Mode
{
    DenyNone = 0,
    DenyRead = 1,
    DenyWrite = 2,
    DenyBoth = 3,
}

/// <summary><c>fsh4_access</c>: what the opener wants itself.</summary>
[Xdr]
internal enum Fsh4Access
{
    None = 0,
    Read = 1,
    Write = 2,
    Both = 3,
}

/// <summary><c>nlm4_share</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4Share(
    [XdrMax(NlmProtocol.MaximumName)] ReadOnlyMemory<byte> CallerName,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Fh,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Oh,
    Fsh4Mode Mode,
    Fsh4Access Access);

/// <summary><c>nlm4_shareargs</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4ShareArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, Nlm4Share Share, bool Reclaim);

/// <summary><c>nlm4_shareres</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4ShareRes(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, Nlm4Stats Stat, int Sequence);

/// <summary><c>nlm4_notify</c>: the arguments of FREE_ALL.</summary>
[Xdr]
internal readonly partial record struct Nlm4Notify([XdrMax(NlmProtocol.MaximumNotifyName)] ReadOnlyMemory<byte> Name, int State);
