using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>nfstime3</c>, RFC 1813 section 2.6. Seconds are unsigned: from 1970 to 2106.</summary>
[Xdr]
internal readonly partial record struct NfsTime3(uint Seconds, uint Nseconds)
{
    public bool IsValid => Nseconds < 1_000_000_000;
}
