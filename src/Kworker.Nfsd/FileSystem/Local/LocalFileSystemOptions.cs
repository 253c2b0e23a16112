namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>How a <see cref="LocalFileSystem"/> serves its directory.</summary>
public sealed record LocalFileSystemOptions
{
    /// <summary>
    /// Whether to answer before changes are on stable storage (<c>async</c> of exports(5)): faster, and a power cut loses without notice what was promised. False by default.
    /// </summary>
    public bool IsAsync { get; init; }

    /// <summary>What clients get as <see cref="NfsAttributes.FileSystemId"/>; the device number if null. It should be the same after a reboot, which device numbers need not be.</summary>
    public ulong? FileSystemId { get; init; }

    /// <summary>How many descriptors stay open between calls; an eighth of what the process may have at most (<c>ulimit -n</c>).</summary>
    public int MaxOpenFiles { get; init; } = 1024;

    /// <summary>How long a descriptor stays open without being used.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whose clock and workers close idle descriptors; the current one's if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>For tests: whether root acts as the calling user rather than check mode bits.</summary>
    internal bool MayImpersonate { get; init; } = true;

    /// <summary>For tests: whether the kernel opens handles, rather than remembered paths being searched.</summary>
    internal bool MayOpenByHandle { get; init; } = true;

    /// <summary>For tests: whether changes are not counted where the kernel's time stamps are fine enough.</summary>
    internal bool MayTrustChangeTimes { get; init; } = true;
}
