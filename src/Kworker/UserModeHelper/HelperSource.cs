namespace Kworker;

/// <summary>Something that the reaper watches: a child's pidfd, or our end of one of its pipes.</summary>
internal abstract class HelperSource(int descriptor, uint events)
{
    /// <summary>-1 while a child has no pidfd. Only the reaper's thread changes it.</summary>
    internal int Descriptor { get; set; } = descriptor;

    /// <summary>What it waits for, as epoll names it.</summary>
    internal uint Events { get; } = events;

    /// <summary>Whether it is asked for in intervals, because the epoll set does not have it. Written under the reaper's lock.</summary>
    internal bool IsPolled { get; set; }

    /// <summary>
    /// Does what can be done without waiting, whether or not there was an event. On the reaper's thread. Once it is over, it gives itself back by
    /// <see cref="HelperReaper.Remove"/>.
    /// </summary>
    internal abstract void Advance(HelperReaper reaper);
}
