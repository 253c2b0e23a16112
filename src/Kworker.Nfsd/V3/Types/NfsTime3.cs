using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

/// <summary><c>nfstime3</c>, RFC 1813 section 2.6. Seconds are unsigned: from 1970 to 2106.</summary>
[Xdr]
internal readonly partial record struct NfsTime3(uint Seconds, uint Nseconds)
{
    /// <summary>A time that the 32 bits do not hold becomes the nearest that they do.</summary>
    public static NfsTime3 From(NfsTime time) => new((uint)Math.Clamp(time.Seconds, 0, uint.MaxValue), time.Nanoseconds);

    public NfsTime ToTime() => new(Seconds, Nseconds);

    public bool IsValid => Nseconds < 1_000_000_000;
}
