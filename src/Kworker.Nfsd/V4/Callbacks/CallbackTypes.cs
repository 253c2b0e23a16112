using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// What the server calls at a client of 4.1: program of the client's choice, version 1, COMPOUND (RFC 8881 sections 18.36.3 and 20, RFC 5662's nfsv41.x;
// that the version is 1, not 4, is what the .x file says and all do). Of the operations those that are called here.

/// <summary><c>nfs_cb_opnum4</c>.</summary>
internal static class CallbackOperation
{
    public const uint Sequence = 11;
    public const uint NotifyLock = 13;
    public const uint Illegal = 10044;
}

/// <summary><c>referring_call4</c>.</summary>
[Xdr]
internal readonly partial record struct ReferringCall4(uint SequenceId, uint SlotId);

/// <summary><c>referring_call_list4</c>: calls of the client that the callback has to do with.</summary>
[Xdr]
internal readonly partial record struct ReferringCallList4(Sessionid4 Session, ReferringCall4[] Calls);

/// <summary><c>CB_SEQUENCE4args</c>, section 20.9.</summary>
[Xdr]
internal readonly partial record struct CbSequence4Args(
    Sessionid4 Session, uint SequenceId, uint SlotId, uint HighestSlotId, bool CacheThis, ReferringCallList4[] ReferringCallLists);

/// <summary><c>CB_NOTIFY_LOCK4args</c>, section 20.11.</summary>
[Xdr]
internal readonly partial record struct CbNotifyLock4Args([XdrMax(128)] ReadOnlyMemory<byte> Handle, StateOwner4 Owner);

/// <summary><c>nfs_cb_argop4</c>.</summary>
[XdrUnion]
internal readonly partial record struct CbArgument4(
    uint Operation,
    [XdrCase(CallbackOperation.Sequence)] CbSequence4Args Sequence = default,
    [XdrCase(CallbackOperation.NotifyLock)] CbNotifyLock4Args NotifyLock = default);

/// <summary><c>CB_COMPOUND4args</c>.</summary>
[Xdr]
internal readonly partial record struct CbCompound4Args([XdrMax(64)] ReadOnlyMemory<byte> Tag, uint MinorVersion, uint CallbackIdent, CbArgument4[] Operations);

/// <summary><c>CB_SEQUENCE4resok</c>.</summary>
[Xdr]
internal readonly partial record struct CbSequence4Ok(Sessionid4 Session, uint SequenceId, uint SlotId, uint HighestSlotId, uint TargetHighestSlotId);

/// <summary><c>CB_SEQUENCE4res</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct CbSequence4Result(uint Status, [XdrCase(0u)] CbSequence4Ok Ok = default);

/// <summary><c>nfs_cb_resop4</c>.</summary>
[XdrUnion]
internal readonly partial record struct CbResult4(
    uint Operation,
    [XdrCase(CallbackOperation.Sequence)] CbSequence4Result Sequence = default,
    [XdrCase(CallbackOperation.NotifyLock)] uint NotifyLock = 0,
    [XdrCase(CallbackOperation.Illegal)] uint Illegal = 0);

/// <summary><c>CB_COMPOUND4res</c>.</summary>
[Xdr]
internal readonly partial record struct CbCompound4Result(uint Status, [XdrMax(64)] byte[] Tag, [XdrMax(2)] CbResult4[] Results)
{
    /// <summary>What became of the CB_SEQUENCE: its own status, or the compound's if there is none. Null if this is no answer to it.</summary>
    public Nfsstat4? SequenceStatus(in CbSequence4Args asked)
    {
        if (Results.Length == 0)
            return Status == 0 ? null : (Nfsstat4)Status;
        if (Results[0].Operation != CallbackOperation.Sequence)
            return null;
        CbSequence4Result result = Results[0].Sequence;
        if (result.Status != 0)
            return (Nfsstat4)result.Status;
        CbSequence4Ok ok = result.Ok;
        return ok.Session == asked.Session && ok.SequenceId == asked.SequenceId && ok.SlotId == asked.SlotId ? Nfsstat4.Ok : null;
    }
}
