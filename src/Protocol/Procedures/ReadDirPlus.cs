using Kworker.SunRpc;

namespace Kworker.Nfs3;

// READDIRPLUS, RFC 1813 section 3.3.17.

/// <summary><c>READDIRPLUS3args</c>.</summary>
[Xdr]
internal readonly partial record struct ReadDirPlus3Args(NfsFh3 Dir, ulong Cookie, ulong Cookieverf, uint Dircount, uint Maxcount);
