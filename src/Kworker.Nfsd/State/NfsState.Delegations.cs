namespace Kworker.Nfsd.State;

// Delegations for reading.
internal sealed partial class NfsState
{
    private static bool IsCallbackLost(NfsClient client) => false;

    /// <summary>Client's lock.</summary>
    private void Drop(Delegation delegation)
    {
        lock (delegation.File)
        {
            delegation.File.Remove(delegation);
            ForgetIfIdle(delegation.File);
        }
        Forget(delegation);
    }

    private static void LaunderDelegations(long now)
    {
    }
}
