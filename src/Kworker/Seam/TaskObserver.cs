namespace Kworker;

/// <summary>
/// Sees each thread of a <see cref="KworkerSystem"/> park and be woken: how a test knows that nothing moves any more, and in
/// which order tasks were woken. Absent in production, where it costs one null check a park.
/// All members are called concurrently; <c>task</c> is the thread's <see cref="Parker"/>.
/// </summary>
internal abstract class TaskObserver
{
    /// <summary>By the waker, in wake order: the task will run (again). Also when a new thread is about to start.</summary>
    internal abstract void Woken(object task);

    /// <summary>On the task's own thread, after a park or first thing on a new thread; holds no lock, may block.</summary>
    internal abstract void Resuming(object task);

    /// <summary>On the task's own thread, right before it parks.</summary>
    internal abstract void Parking(object task);

    /// <summary>On the task's own thread: it is over, and what it leaves behind is published.</summary>
    internal abstract void Ended(object task);
}
