using Kworker.SunRpc;

namespace Kworker.Lockd.Client;

/// <summary>How somebody locks. Not changed once an owner has been made of it.</summary>
internal sealed class NlmOwnerOptions
{
    /// <summary>Who calls. Owners that share this object share a connection.</summary>
    public RpcCredential Credential { get; init; } = RpcCredential.None;

    /// <summary>Whether calls fail when the server does not answer; else they wait for it.</summary>
    public bool IsSoft { get; init; }

    /// <summary>Whether a lock that was lost is taken anew if it is free (the kernel's <c>recover_lost_locks</c>).</summary>
    public bool RecoverLostLocks { get; init; }
}
