using Kworker.Lockd.Locks;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

/// <summary>What the lock manager knows of files: the NFS server tells it (<c>nlmsvc_binding</c>). Thread-safe.</summary>
internal interface INlmFiles
{
    /// <summary>
    /// Which file a handle names, without a look at the file: it may be gone. For what gives up rights (<c>UNLOCK</c>, <c>CANCEL</c>, <c>UNSHARE</c>).
    /// </summary>
    /// <param name="call">Who asks.</param>
    /// <param name="handle">The file's handle as NFS gave it out.</param>
    /// <param name="file">The file.</param>
    /// <returns><see cref="Nlm4Stats.Granted"/>; else what to answer.</returns>
    Nlm4Stats Find(RpcCall call, ReadOnlySpan<byte> handle, out LockFileKey file);

    /// <summary>As <see cref="Find"/>, and whether the caller may lock the file: a regular file that is there, exported to the caller, and readable to it or its own.</summary>
    /// <param name="call">Who asks.</param>
    /// <param name="handle">The file's handle as NFS gave it out.</param>
    /// <param name="kind">A write lock needs an export that may be written.</param>
    /// <param name="file">The file.</param>
    /// <remarks>May block.</remarks>
    Nlm4Stats Open(RpcCall call, ReadOnlySpan<byte> handle, LockKind kind, out LockFileKey file);
}
