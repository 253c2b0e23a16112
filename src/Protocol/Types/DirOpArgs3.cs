using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>diropargs3</c>, RFC 1813 section 2.6. The name is a slice of the request.</summary>
[Xdr]
internal readonly partial record struct DirOpArgs3(NfsFh3 Dir, ReadOnlyMemory<byte> Name);
