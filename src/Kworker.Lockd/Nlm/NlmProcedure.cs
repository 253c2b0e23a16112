namespace Kworker.Lockd.Nlm;

/// <summary>
/// The procedures, the same numbers in every version. <c>…Msg</c> are calls whose result is not in the reply, but comes as a call of the
/// procedure <c>…Res</c> of the caller's own lock manager.
/// </summary>
internal enum NlmProcedure : uint
{
    Null = 0,
    Test = 1,
    Lock = 2,
    Cancel = 3,
    Unlock = 4,
    Granted = 5,
    TestMsg = 6,
    LockMsg = 7,
    CancelMsg = 8,
    UnlockMsg = 9,
    GrantedMsg = 10,
    TestRes = 11,
    LockRes = 12,
    CancelRes = 13,
    UnlockRes = 14,
    GrantedRes = 15,

    /// <summary>Private between a machine's NSM and its NLM: a monitored host has rebooted (Linux's number).</summary>
    SmNotify = 16,

    Share = 20,
    Unshare = 21,
    NmLock = 22,
    FreeAll = 23,
}
