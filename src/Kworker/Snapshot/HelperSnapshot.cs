namespace Kworker;

/// <summary>A usermode helper that runs.</summary>
/// <param name="ProcessId">Its process.</param>
/// <param name="Path">The program.</param>
/// <param name="Started">When it was started.</param>
public sealed record HelperSnapshot(int ProcessId, string Path, DateTimeOffset Started);

/// <summary>A usermode helper that has ended, or could not be started.</summary>
/// <param name="ProcessId">Its process; 0 when there was none.</param>
/// <param name="Path">The program.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Duration">How long it ran.</param>
/// <param name="Status">What it ended with.</param>
public sealed record HelperResultSnapshot(int ProcessId, string Path, DateTimeOffset Ended, TimeSpan Duration, HelperStatus Status);
