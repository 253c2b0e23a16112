using System.Globalization;

namespace Kworker.Apps.Nfsd.Systemd;

/// <summary>What systemd tells a service by its environment: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).</summary>
internal sealed record ServiceEnvironment
{
    /// <summary>Nobody has started us, or nobody wants to hear of us.</summary>
    public static ServiceEnvironment None { get; } = new();

    /// <summary>The socket by which the service manager is told; a name that begins with <c>@</c> is an abstract one.</summary>
    public string? NotifySocket { get; init; }

    /// <summary>A service that has not said so long that it lives is restarted.</summary>
    public TimeSpan? WatchdogLimit { get; init; }

    /// <summary>The names of the descriptors that were passed, in order; <c>unknown</c> for one without.</summary>
    public IReadOnlyList<string> Descriptors { get; init; } = [];

    /// <summary>Whether standard error is the journal, which has the time by itself, and the level by a prefix (sd-daemon(3)).</summary>
    public bool IsJournal { get; init; }

    /// <summary>Reads it, and takes it out of the environment: no program that this one starts is to think that it was meant.</summary>
    public static ServiceEnvironment Take()
    {
        string? notifySocket = Take("NOTIFY_SOCKET");
        string? watchdogLimit = Take("WATCHDOG_USEC");
        bool isWatched = Take("WATCHDOG_PID") is not { } watched || IsThisProcess(watched);
        bool isListening = Take("LISTEN_PID") is { } listening && IsThisProcess(listening);
        string? count = Take("LISTEN_FDS");
        string[] names = Take("LISTEN_FDNAMES")?.Split(':') ?? [];
        return new ServiceEnvironment
        {
            NotifySocket = string.IsNullOrEmpty(notifySocket) ? null : notifySocket,
            WatchdogLimit = isWatched && ParseNumber(watchdogLimit) is { } microseconds ? TimeSpan.FromMicroseconds(microseconds) : null,
            Descriptors = isListening && ParseNumber(count) is { } number
                ? [.. Enumerable.Range(0, (int)number).Select(i => i < names.Length && names[i].Length > 0 ? names[i] : "unknown")]
                : [],
            IsJournal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { } stream && IsStandardError(stream),
        };
    }

    // The runtime reads the environment once, so what is taken out of its copy is gone for all that it starts.
    private static string? Take(string name)
    {
        string? value = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, null);
        return value;
    }

    // "DEVICE:INODE": it stays in the environment, and is right for as long as the stream is that one.
    private static bool IsStandardError(string stream) =>
        File.ResolveLinkTarget("/proc/self/fd/2", returnFinalTarget: false)?.Name == $"socket:[{stream[(stream.IndexOf(':') + 1)..]}]";

    private static bool IsThisProcess(string id) => id == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    private static long? ParseNumber(string? word) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0 ? number : null;
}
