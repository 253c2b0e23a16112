namespace Kworker;

/// <summary>What an item is doing (<c>work_busy</c>): a snapshot, which may be old when it is read.</summary>
[Flags]
public enum WorkBusy
{
    /// <summary>Neither queued nor running.</summary>
    None = 0,

    /// <summary>Its time runs, it waits in a queue, or it is being cancelled (<c>WORK_BUSY_PENDING</c>).</summary>
    Pending = 1,

    /// <summary>Its function runs (<c>WORK_BUSY_RUNNING</c>).</summary>
    Running = 2,
}
