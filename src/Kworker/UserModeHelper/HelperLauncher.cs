namespace Kworker;

/// <summary>How this platform starts a program and learns of its end.</summary>
internal abstract class HelperLauncher
{
    /// <summary>Programs that were started and have not ended.</summary>
    internal abstract int Count { get; }

    /// <summary>What runs, and what became of those that ran last.</summary>
    internal HelperLedger Ledger { get; } = new();

    /// <summary>The right one for this platform.</summary>
    internal static HelperLauncher Create() => OperatingSystem.IsLinux() ? new LinuxHelperLauncher() : new ProcessHelperLauncher();

    /// <summary>Executes the program. Sleeps for as long as the exec takes.</summary>
    /// <param name="program">What to start.</param>
    /// <param name="ended">Called once when the program ended, on a thread that must not be held up, with its wait status or -ECHILD.</param>
    /// <returns>Started; or what failed, and then <paramref name="ended"/> is not called.</returns>
    internal abstract HelperStatus Start(HelperProgram program, Action<int>? ended);

    /// <summary>
    /// The same for a caller that sleeps until the end and whom nothing can interrupt: it may come back only then, with the status, and then
    /// <paramref name="ended"/> is not called.
    /// </summary>
    internal virtual HelperStatus Run(HelperProgram program, Action<int> ended) => Start(program, ended);

    /// <summary>Starts no more (-EBUSY). What runs is waited for in the background; the thread ends with the last of them.</summary>
    internal abstract void Stop();
}
