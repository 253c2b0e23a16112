using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>Keeps what is logged, in order.</summary>
internal sealed class LogLines : ILogger
{
    private readonly List<(LogLevel Level, string Text)> _lines = []; // lock: itself

    public IReadOnlyList<string> All => Of(LogLevel.Trace);

    /// <summary>The lines of a level and above.</summary>
    public IReadOnlyList<string> Of(LogLevel level)
    {
        lock (_lines)
            return [.. _lines.Where(line => line.Level >= level).Select(line => line.Text)];
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add((logLevel, formatter(state, exception)));
    }
}
