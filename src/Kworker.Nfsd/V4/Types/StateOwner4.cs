using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>state_owner4</c> (<c>open_owner4</c>, <c>lock_owner4</c>): RFC 7530 sections 2.2.13 and 2.2.14, RFC 8881 section 3.3.12.</summary>
/// <param name="Clientid">The client that it belongs to; without meaning in 4.1, where the session says it.</param>
/// <param name="Owner">The client's name of it. A slice of the request: copy it to keep it.</param>
[Xdr]
internal readonly partial record struct StateOwner4(ulong Clientid, [XdrMax(StateOwner4.MaxLength)] ReadOnlyMemory<byte> Owner)
{
    /// <summary><c>NFS4_OPAQUE_LIMIT</c>.</summary>
    public const int MaxLength = 1024;
}
