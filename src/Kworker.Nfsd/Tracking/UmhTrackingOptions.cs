namespace Kworker.Nfsd.Tracking;

/// <summary>Which helper keeps the record of clients, and where.</summary>
internal sealed class UmhTrackingOptions
{
    /// <summary>Where the kernel's server had its records before there was a helper.</summary>
    public const string KernelRecoveryDirectory = "/var/lib/nfs/v4recovery";

    /// <summary>The helper; null: <see cref="TrackingProgram.Find"/>.</summary>
    public string? Program { get; init; }

    /// <summary>
    /// A record of the server's own, which the helper is told of before its command (<c>-f -s DIR</c>). Null: the helper is called exactly as the kernel
    /// calls it, and has its record where it will; then it is not known when all have reclaimed.
    /// </summary>
    public string? StorageDirectory { get; init; }

    /// <summary>What the helper is given as the place of legacy records, to take over and to clear.</summary>
    public string RecoveryDirectory { get; init; } = KernelRecoveryDirectory;

    /// <summary>
    /// The file that says whether the record is to be believed: it is not while it says more than is true, because a client could not be taken out of it; at
    /// the next start nobody is let reclaim then.
    /// </summary>
    public required string TrustFile { get; init; }

    /// <summary>The system that helpers run in.</summary>
    public required KworkerSystem System { get; init; }

    /// <summary>How many helpers run at a time, not counting those that have not ended in time.</summary>
    public int MaxActive { get; init; } = 8;

    /// <summary>
    /// How long a client's call waits for a helper, and a helper keeps others from being started. The kernel waits for ever; nfs-utils' program itself gives up
    /// after 10 seconds if others have its database.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after a failed <c>remove</c> or <c>gracedone</c> it is called again; twice as long after the next failure, and so on.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest of these pauses.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(5);
}
