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
            new(NfsOpnum4.GetFh, "GETFH", GetFh, Both | NeedsCurrent),
            new(NfsOpnum4.PutRootFh, "PUTROOTFH", PutRootFh, Both),

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
        var table = new Operation?[(int)NfsOpnum4.ReclaimComplete + 1];
        foreach (Operation operation in all)
            table[(int)operation.Number] = operation;
        return table;
    }
}
