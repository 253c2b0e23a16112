using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>nfstime4</c>: RFC 7530 section 2.2.1.</summary>
[Xdr]
internal readonly partial record struct NfsTime4(long Seconds, uint Nseconds)
{
    /// <summary>The wire's form of a file system's time.</summary>
    public static NfsTime4 From(NfsTime time) => new(time.Seconds, time.Nanoseconds);

    /// <summary>The time for a file system.</summary>
    public NfsTime ToTime() => new(Seconds, Nseconds);
}
