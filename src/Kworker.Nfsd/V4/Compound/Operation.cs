using System.Diagnostics;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>Runs one operation of a compound.</summary>
/// <param name="context">The compound.</param>
/// <param name="arguments">Stands at the operation's arguments; must stand behind them when the operation succeeds.</param>
/// <param name="reply">Takes the result's body, that is what follows the status in the RFC's result union.</param>
/// <returns>
/// The status. What was written is kept if it is OK, or if <see cref="CompoundContext.KeepsBody"/> was set; else taken back. An <see cref="XdrException"/> out of
/// <paramref name="arguments"/> is BADXDR, one out of <paramref name="reply"/> the error of a reply that is too big.
/// </returns>
internal delegate Nfsstat4 OperationHandler(CompoundContext context, ref XdrReader arguments, XdrWriter reply);

/// <summary>An operation as the table of <see cref="Nfs4Program"/> has it. Immutable.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name in the RFC, for logs.</param>
/// <param name="Handler">What runs it; null if it is answered NOTSUPP.</param>
/// <param name="Flags">What holds for it.</param>
/// <param name="MaximumResult">Bytes that its body takes at most: asked for before an operation with <see cref="OperationFlags.Modifies"/>.</param>
[DebuggerDisplay("{Name,nq} ({(int)Number})")]
internal sealed record Operation(NfsOpnum4 Number, string Name, OperationHandler? Handler, OperationFlags Flags, int MaximumResult = 256)
{
    /// <summary>The body that goes with a failure for which the handler left none; only with <see cref="OperationFlags.AlwaysHasBody"/>.</summary>
    public static void WriteFailureBody(XdrWriter reply) => reply.WriteCount(0); // SETATTR: an empty bitmap, nothing was set.

    /// <summary>The first minor version that knows it.</summary>
    public uint Since => Number > NfsOpnum4.ReclaimComplete ? 2u : Has(OperationFlags.V40) ? 0u : 1u;

    public bool Has(OperationFlags flag) => (Flags & flag) != 0;
}
