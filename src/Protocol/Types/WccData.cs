using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>wcc_attr</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct WccAttr(ulong Size, NfsTime3 Mtime, NfsTime3 Ctime);

/// <summary><c>wcc_data</c>, RFC 1813 section 2.6: by which a client sees whether anybody else changed what it has cached.</summary>
[Xdr]
internal readonly partial record struct WccData(WccAttr? Before, PostOpAttr After);
