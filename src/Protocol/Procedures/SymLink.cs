using Kworker.SunRpc;

namespace Kworker.Nfs3;

// SYMLINK, RFC 1813 section 3.3.10. Its results are CREATE's.

/// <summary><c>symlinkdata3</c>. The target is a slice of the request.</summary>
[Xdr]
internal readonly partial record struct SymlinkData3(Sattr3 SymlinkAttributes, ReadOnlyMemory<byte> Data);

/// <summary><c>SYMLINK3args</c>.</summary>
[Xdr]
internal readonly partial record struct SymLink3Args(DirOpArgs3 Where, SymlinkData3 Symlink);
