namespace Kworker.Nfsd.V4;

// Which operations there are: RFC 7530 section 16, RFC 8881 section 17 (which are mandatory) and 18.
internal sealed partial class Nfs4Program
{
    private const OperationFlags Both = OperationFlags.Both;
    private const OperationFlags NeedsCurrent = OperationFlags.NeedsCurrent;
    private const OperationFlags WithoutSession = OperationFlags.WithoutSession;
    private const OperationFlags Modifies = OperationFlags.Modifies;

    private readonly Operation?[] _operations;

    private Operation?[] MakeTable()
    {
        Operation[] all =
        [
            new(NfsOpnum4.Access, "ACCESS", Access, Both | NeedsCurrent),
            new(NfsOpnum4.Commit, "COMMIT", Commit, Both | NeedsCurrent),
            new(NfsOpnum4.Create, "CREATE", Create, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.GetAttr, "GETATTR", GetAttr, Both | NeedsCurrent),
            new(NfsOpnum4.GetFh, "GETFH", GetFh, Both | NeedsCurrent),
            new(NfsOpnum4.Link, "LINK", Link, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.Lookup, "LOOKUP", Lookup, Both | NeedsCurrent),
            new(NfsOpnum4.LookupP, "LOOKUPP", LookupP, Both | NeedsCurrent),
            new(NfsOpnum4.NVerify, "NVERIFY", NVerify, Both | NeedsCurrent),
            new(NfsOpnum4.PutFh, "PUTFH", PutFh, Both),
            new(NfsOpnum4.PutPubFh, "PUTPUBFH", PutPubFh, Both),
            new(NfsOpnum4.PutRootFh, "PUTROOTFH", PutRootFh, Both),
            new(NfsOpnum4.Read, "READ", Read, Both | NeedsCurrent),
            new(NfsOpnum4.ReadDir, "READDIR", ReadDir, Both | NeedsCurrent),
            new(NfsOpnum4.ReadLink, "READLINK", ReadLink, Both | NeedsCurrent),
            new(NfsOpnum4.Remove, "REMOVE", Remove, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.Rename, "RENAME", Rename, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.RestoreFh, "RESTOREFH", RestoreFh, Both),
            new(NfsOpnum4.SaveFh, "SAVEFH", SaveFh, Both | NeedsCurrent),
            new(NfsOpnum4.SecInfo, "SECINFO", SecInfo, Both | NeedsCurrent),
            new(NfsOpnum4.SecInfoNoName, "SECINFO_NO_NAME", SecInfoNoName, OperationFlags.V41 | NeedsCurrent),
            new(NfsOpnum4.SetAttr, "SETATTR", SetAttr, Both | NeedsCurrent | Modifies | OperationFlags.AlwaysHasBody),
            new(NfsOpnum4.Verify, "VERIFY", Verify, Both | NeedsCurrent),
            new(NfsOpnum4.Write, "WRITE", Write, Both | NeedsCurrent | Modifies),

            new(NfsOpnum4.Open, "OPEN", Open, Both | NeedsCurrent | Modifies, 512),
            new(NfsOpnum4.OpenConfirm, "OPEN_CONFIRM", OpenConfirm, OperationFlags.V40 | NeedsCurrent | Modifies),
            new(NfsOpnum4.OpenDowngrade, "OPEN_DOWNGRADE", OpenDowngrade, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.Close, "CLOSE", Close, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.Lock, "LOCK", Lock, Both | NeedsCurrent | Modifies, StateOwner4.MaxLength + 64),
            new(NfsOpnum4.LockT, "LOCKT", LockT, Both | NeedsCurrent),
            new(NfsOpnum4.LockU, "LOCKU", LockU, Both | NeedsCurrent | Modifies),
            new(NfsOpnum4.DelegReturn, "DELEGRETURN", DelegReturn, Both | NeedsCurrent),
            new(NfsOpnum4.ReleaseLockOwner, "RELEASE_LOCKOWNER", ReleaseLockOwner, OperationFlags.V40),
            new(NfsOpnum4.SetClientid, "SETCLIENTID", SetClientid, OperationFlags.V40),
            new(NfsOpnum4.SetClientidConfirm, "SETCLIENTID_CONFIRM", SetClientidConfirm, OperationFlags.V40),
            new(NfsOpnum4.Renew, "RENEW", Renew, OperationFlags.V40),
            new(NfsOpnum4.ExchangeId, "EXCHANGE_ID", ExchangeId, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.CreateSession, "CREATE_SESSION", CreateSession, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.DestroySession, "DESTROY_SESSION", DestroySession, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.DestroyClientid, "DESTROY_CLIENTID", DestroyClientid, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.BindConnToSession, "BIND_CONN_TO_SESSION", BindConnToSession, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.Sequence, "SEQUENCE", Sequence, OperationFlags.V41 | WithoutSession),
            new(NfsOpnum4.BackchannelCtl, "BACKCHANNEL_CTL", BackchannelCtl, OperationFlags.V41),
            new(NfsOpnum4.ReclaimComplete, "RECLAIM_COMPLETE", ReclaimComplete, OperationFlags.V41),
            new(NfsOpnum4.TestStateid, "TEST_STATEID", TestStateid, OperationFlags.V41),
            new(NfsOpnum4.FreeStateid, "FREE_STATEID", FreeStateid, OperationFlags.V41),

            // Of 4.2 (RFC 7862, RFC 8276) what local file systems have by nature.
            new(NfsOpnum4.Allocate, "ALLOCATE", Allocate, OperationFlags.V41 | NeedsCurrent | Modifies),
            new(NfsOpnum4.Deallocate, "DEALLOCATE", Deallocate, OperationFlags.V41 | NeedsCurrent | Modifies),
            new(NfsOpnum4.Seek, "SEEK", Seek, OperationFlags.V41 | NeedsCurrent),
            new(NfsOpnum4.GetXattr, "GETXATTR", GetXattr, OperationFlags.V41 | NeedsCurrent),
            new(NfsOpnum4.SetXattr, "SETXATTR", SetXattr, OperationFlags.V41 | NeedsCurrent | Modifies),
            new(NfsOpnum4.ListXattrs, "LISTXATTRS", ListXattrs, OperationFlags.V41 | NeedsCurrent),
            new(NfsOpnum4.RemoveXattr, "REMOVEXATTR", RemoveXattr, OperationFlags.V41 | NeedsCurrent | Modifies),

            // Known, and answered NOTSUPP.
            new(NfsOpnum4.DelegPurge, "DELEGPURGE", null, Both),
            new(NfsOpnum4.OpenAttr, "OPENATTR", null, Both | NeedsCurrent),
            new(NfsOpnum4.GetDirDelegation, "GET_DIR_DELEGATION", null, OperationFlags.V41),
            new(NfsOpnum4.GetDeviceInfo, "GETDEVICEINFO", null, OperationFlags.V41),
            new(NfsOpnum4.GetDeviceList, "GETDEVICELIST", null, OperationFlags.V41),
            new(NfsOpnum4.LayoutCommit, "LAYOUTCOMMIT", null, OperationFlags.V41),
            new(NfsOpnum4.LayoutGet, "LAYOUTGET", null, OperationFlags.V41),
            new(NfsOpnum4.LayoutReturn, "LAYOUTRETURN", null, OperationFlags.V41),
            new(NfsOpnum4.SetSsv, "SET_SSV", null, OperationFlags.V41),
            new(NfsOpnum4.WantDelegation, "WANT_DELEGATION", null, OperationFlags.V41),
        ];
        var table = new Operation?[(int)NfsOpnum4.RemoveXattr + 1];
        foreach (Operation operation in all)
            table[(int)operation.Number] = operation;
        // Of 4.2's other operations each is optional (RFC 7862 section 13).
        for (NfsOpnum4 number = NfsOpnum4.Allocate; number <= NfsOpnum4.RemoveXattr; number++)
            table[(int)number] ??= new Operation(number, number.ToString(), null, OperationFlags.V41);
        return table;
    }
}
