using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>sessionid4</c>, 16 opaque bytes as two numbers: RFC 8881 section 2.10.6.</summary>
[Xdr]
internal readonly partial record struct Sessionid4(ulong High, ulong Low);
