using Kworker.SunRpc;

namespace Kworker.Nfs3;

// MKDIR, RFC 1813 section 3.3.9. Its results are CREATE's.

/// <summary><c>MKDIR3args</c>.</summary>
[Xdr]
internal readonly partial record struct MkDir3Args(DirOpArgs3 Where, Sattr3 Attributes);
