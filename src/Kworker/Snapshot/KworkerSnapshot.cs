namespace Kworker;

/// <summary>
/// Everything that is alive in a <see cref="KworkerSystem"/> at one moment; see <see cref="KworkerSystem.Snapshot"/>. Its text reads like what the kernel prints on
/// sysrq-t of its workqueues.
/// </summary>
public sealed class KworkerSnapshot
{
    internal KworkerSnapshot(
        DateTimeOffset time, IReadOnlyList<WorkqueueSnapshot> queues, IReadOnlyList<PoolSnapshot> pools, IReadOnlyList<KthreadSnapshot> kthreads, IReadOnlyList<HelperSnapshot> helpers)
    {
        Time = time;
        Workqueues = queues;
        Pools = pools;
        Kthreads = kthreads;
        Helpers = helpers;
    }

    /// <summary>When it was taken, by the system's clock.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>All workqueues, idle ones included.</summary>
    public IReadOnlyList<WorkqueueSnapshot> Workqueues { get; }

    /// <summary>The worker pools.</summary>
    public IReadOnlyList<PoolSnapshot> Pools { get; }

    /// <summary>Kthreads that have begun and not ended, those of kthread workers included.</summary>
    public IReadOnlyList<KthreadSnapshot> Kthreads { get; }

    /// <summary>Usermode helpers that have not ended.</summary>
    public IReadOnlyList<HelperSnapshot> Helpers { get; }

    /// <summary>The helpers that ended last, or could not be started, the latest first.</summary>
    public IReadOnlyList<HelperResultSnapshot> RecentHelpers { get; init; } = [];

    /// <summary>Work functions and kthreads that wait for another (a flush, a cancel, a drain, a stop), and for what.</summary>
    public IReadOnlyList<WaitSnapshot> Waits { get; init; } = [];

    /// <summary>What the watchdog has found lately, the latest first.</summary>
    public IReadOnlyList<WatchdogReportSnapshot> Reports { get; init; } = [];

    /// <summary>What was counted since the system was made.</summary>
    public CountersSnapshot Counters { get; init; } = new();

    /// <summary>Usermode helpers are refused (<see cref="UserModeHelper.Disable"/>, or the system ends).</summary>
    public bool AreHelpersDisabled { get; init; }

    /// <inheritdoc/>
    public override string ToString() => SnapshotText.Write(this);
}
