namespace Kworker;

/// <summary>How this platform starts a program and learns of its end.</summary>
internal abstract class HelperLauncher
{
    /// <summary>Programs that were started and have not ended.</summary>
    internal abstract int Count { get; }

    /// <summary>The right one for this platform.</summary>
    internal static HelperLauncher Create() => OperatingSystem.IsLinux() ? new LinuxHelperLauncher() : new ProcessHelperLauncher();

    /// <summary>Executes the program. Sleeps for as long as the exec takes.</summary>
    /// <param name="path">The program; a relative path starts at "/".</param>
    /// <param name="argv">Its arguments, the first being its name.</param>
    /// <param name="envp">Its whole environment.</param>
    /// <param name="ended">Called once when the program ended, on a thread that must not be held up, with its wait status or -ECHILD.</param>
    /// <returns>0, or the negative errno of the exec; then <paramref name="ended"/> is not called.</returns>
    internal abstract int Start(string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp, Action<int>? ended);

    /// <summary>Starts no more (-EBUSY). What runs is waited for in the background; the thread ends with the last of them.</summary>
    internal abstract void Stop();
}
