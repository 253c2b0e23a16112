namespace Kworker;

/// <summary>What the watchdog has found once; see <see cref="WatchdogEventArgs"/>.</summary>
/// <param name="Time">When, by the system's clock.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Subject">The pool, or the thread that runs or waits; empty for an async function in an await.</param>
/// <param name="Function">The work function; for a pool the one that has kept a place there for the longest. Null where there is none.</param>
/// <param name="Queue">The workqueue of that function, or the kthread worker; null where there is none.</param>
/// <param name="Duration">For how long it had gone on then, at least.</param>
/// <param name="Where">Where it was, as far as that is known; may be empty.</param>
public sealed record WatchdogReportSnapshot(
    DateTimeOffset Time, WatchdogKind Kind, string Subject, string? Function, string? Queue, TimeSpan Duration, string Where);
