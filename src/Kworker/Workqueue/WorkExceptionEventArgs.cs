namespace Kworker;

/// <summary>What left a work function.</summary>
public sealed class WorkExceptionEventArgs : EventArgs
{
    internal WorkExceptionEventArgs(Workqueue queue, Work work, Exception exception)
    {
        Workqueue = queue;
        Work = work;
        Exception = exception;
    }

    /// <summary>The queue that ran the item.</summary>
    public Workqueue Workqueue { get; }

    /// <summary>The item.</summary>
    public Work Work { get; }

    /// <summary>What left its function.</summary>
    public Exception Exception { get; }
}
