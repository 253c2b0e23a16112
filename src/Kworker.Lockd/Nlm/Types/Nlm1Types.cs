using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// The types of nlm_prot.x (XNFS), versions 1 and 3: as version 4, but with 32-bit offsets and lengths. Each is worked on in the form of
// version 4; the conversions stand in Nlm1Conversions.

/// <summary><c>nlm_holder</c>.</summary>
[Xdr]
internal readonly partial record struct NlmHolder(
    bool Exclusive, int Svid, [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Oh, uint Offset, uint Length);

/// <summary><c>nlm_lock</c>.</summary>
[Xdr]
internal readonly partial record struct NlmLock(
    [XdrMax(NlmProtocol.MaximumName)] ReadOnlyMemory<byte> CallerName,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Fh,
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Oh,
    int Svid,
    uint Offset,
    uint Length);

/// <summary><c>nlm_testargs</c>; also the arguments of GRANTED.</summary>
[Xdr]
internal readonly partial record struct NlmTestArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Exclusive, NlmLock Lock);

/// <summary><c>nlm_testrply</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct NlmTestReply(Nlm4Stats Stat, [XdrCase(Nlm4Stats.Denied)] NlmHolder Holder = default);

/// <summary><c>nlm_testres</c>.</summary>
[Xdr]
internal readonly partial record struct NlmTestRes([XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, NlmTestReply Reply);

/// <summary><c>nlm_lockargs</c>.</summary>
[Xdr]
internal readonly partial record struct NlmLockArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Block, bool Exclusive, NlmLock Lock, bool Reclaim, int State);

/// <summary><c>nlm_cancargs</c>.</summary>
[Xdr]
internal readonly partial record struct NlmCancArgs(
    [XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, bool Block, bool Exclusive, NlmLock Lock);

/// <summary><c>nlm_unlockargs</c>.</summary>
[Xdr]
internal readonly partial record struct NlmUnlockArgs([XdrMax(NlmProtocol.MaximumNetobj)] ReadOnlyMemory<byte> Cookie, NlmLock Lock);
