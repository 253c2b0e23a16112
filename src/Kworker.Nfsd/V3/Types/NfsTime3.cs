using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfs3;

internal readonly partial record struct NfsTime3
{
    /// <summary>A time that the 32 bits do not hold becomes the nearest that they do.</summary>
    public static NfsTime3 From(NfsTime time) => new((uint)Math.Clamp(time.Seconds, 0, uint.MaxValue), time.Nanoseconds);

    public NfsTime ToTime() => new(Seconds, Nseconds);
}
