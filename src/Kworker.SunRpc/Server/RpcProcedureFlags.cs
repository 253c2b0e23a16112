namespace Kworker.SunRpc;

/// <summary>
/// What the server may assume of a procedure. The default assumes nothing: its replies go through the duplicate-request cache.
/// </summary>
[Flags]
public enum RpcProcedureFlags
{
    /// <summary>Not idempotent: a retransmitted call must not run twice.</summary>
    None = 0,

    /// <summary>Running the call a second time does no harm, so its replies need not be remembered.</summary>
    Idempotent = 1,
}
