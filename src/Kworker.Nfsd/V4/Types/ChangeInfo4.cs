using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>change_info4</c>: RFC 7530 section 2.2.10, a directory's change attribute before and after an operation.</summary>
/// <param name="Atomic">Whether nothing else can have come between.</param>
/// <param name="Before">Before.</param>
/// <param name="After">After.</param>
[Xdr]
internal readonly partial record struct ChangeInfo4(bool Atomic, ulong Before, ulong After);
