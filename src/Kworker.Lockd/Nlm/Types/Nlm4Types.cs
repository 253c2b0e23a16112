using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// The types of nlm4_prot.x (RFC 1813 appendix II). A netobj stands as ReadOnlyMemory<byte>: of a request it is a slice that is valid
// until the call has been answered; what is kept must be copied.

/// <summary><c>nlm4_holder</c>: who stands in the way. <paramref name="Length"/> 0 is to the end of the file.</summary>
[Xdr]
internal readonly partial record struct Nlm4Holder(
    bool Exclusive, int Svid, [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Oh, ulong Offset, ulong Length);

/// <summary><c>nlm4_lock</c>: a range of a file, and whose. <paramref name="Length"/> 0 is to the end of the file.</summary>
/// <param name="CallerName">The client's host name: what it calls itself to NSM.</param>
/// <param name="Fh">The file, as in NFS.</param>
/// <param name="Oh">The owner; with <paramref name="Svid"/>, unique at the client.</param>
/// <param name="Svid">The client's process.</param>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">How many bytes.</param>
[Xdr]
internal readonly partial record struct Nlm4Lock(
    [XdrMax(NlmProtocol.MaximumName)] ReadOnlyMemory<byte> CallerName,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Fh,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Oh,
    int Svid,
    ulong Offset,
    ulong Length);

/// <summary><c>nlm4_testargs</c>; also the arguments of GRANTED.</summary>
[Xdr]
internal readonly partial record struct Nlm4TestArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Exclusive, Nlm4Lock Lock);

/// <summary><c>nlm4_testrply</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct Nlm4TestReply(Nlm4Stats Stat, [XdrCase(Nlm4Stats.Denied)] Nlm4Holder Holder = default);

/// <summary><c>nlm4_testres</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4TestRes(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, Nlm4TestReply Reply);

/// <summary><c>nlm4_lockargs</c>.</summary>
/// <param name="Cookie">Comes back with the result.</param>
/// <param name="Block">Whether to wait for the lock.</param>
/// <param name="Exclusive">Whether nobody else may hold any lock of the range.</param>
/// <param name="Lock">What is to be locked.</param>
/// <param name="Reclaim">Whether the lock was held before the server restarted.</param>
/// <param name="State">The NSM state of the client.</param>
[Xdr]
internal readonly partial record struct Nlm4LockArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Block, bool Exclusive, Nlm4Lock Lock, bool Reclaim, int State);

/// <summary><c>nlm4_cancargs</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4CancArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Block, bool Exclusive, Nlm4Lock Lock);

/// <summary><c>nlm4_unlockargs</c>.</summary>
[Xdr]
internal readonly partial record struct Nlm4UnlockArgs([XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, Nlm4Lock Lock);

/// <summary><c>nlm4_res</c>; the same in every version.</summary>
[Xdr]
internal readonly partial record struct Nlm4Res([XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, Nlm4Stats Stat);
