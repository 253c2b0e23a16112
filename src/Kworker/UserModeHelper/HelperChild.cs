namespace Kworker;

/// <summary>A program that runs.</summary>
/// <param name="pid">The process id.</param>
/// <param name="pidFd">Its pidfd, or -1.</param>
/// <param name="pipes">Our ends of its pipes, or null.</param>
/// <param name="ended">Called once at its end.</param>
internal sealed class HelperChild(int pid, int pidFd, HelperPipes? pipes, Action<int>? ended) : HelperSource(pidFd, HelperLibC.EpollIn)
{
    internal int Pid { get; } = pid;

    /// <summary>Reaps it if it ended. Its pipes end with it: a process of its own that still has them open is not waited for.</summary>
    internal override void Advance(HelperReaper reaper)
    {
        if (!HelperChildStatus.TryReap(Pid, Descriptor, out int status))
            return;
        pipes?.Finish(reaper);
        reaper.Remove(this);
        ended?.Invoke(status);
    }
}
