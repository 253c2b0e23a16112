namespace Kworker.Hosting;

/// <summary>How a background queue runs what is put on it, and how much of it.</summary>
public sealed class BackgroundQueueOptions
{
    /// <summary>How many works may be at work at once; 16 unless given. The rest waits in line, in order.</summary>
    public int MaxActive { get; set; } = 16;

    /// <summary>How many works may wait in line; null, as it is unless given: any number.</summary>
    public int? Capacity { get; set; }

    /// <summary>What becomes of a work that comes when the line is full.</summary>
    public BackgroundQueueFullMode FullMode { get; set; }
}
