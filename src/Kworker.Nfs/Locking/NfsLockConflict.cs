namespace Kworker.Nfs;

/// <summary>A lock that stands in the way.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Its bytes; 0: to the end of the file.</param>
/// <param name="Kind">How it is held.</param>
/// <param name="ProcessId">The process that its holder's machine named; says little to another machine.</param>
public readonly record struct NfsLockConflict(long Start, long Length, NfsLockKind Kind, int ProcessId);
