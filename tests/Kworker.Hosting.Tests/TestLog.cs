using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Kworker.Hosting.Tests;

/// <summary>What a host has written to its log under the library's name; and what it waits for to be written.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, int Id, string Text)> _entries = new();
    private readonly WaitQueue _written = new();

    public IEnumerable<string> Texts => _entries.Select(static entry => entry.Text);

    public IEnumerable<string> WithId(int id) => _entries.Where(entry => entry.Id == id).Select(static entry => entry.Text);

    public async Task<string> WhenWrittenAsync(int id)
    {
        await _written.WaitEventAsync(() => WithId(id).Any());
        return WithId(id).First();
    }

    public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Kworker", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _entries.Enqueue((logLevel, eventId.Id, exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception.Message}"));
        _written.WakeUpAll();
    }

    public void Dispose()
    {
    }
}
