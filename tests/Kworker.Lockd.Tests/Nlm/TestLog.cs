using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>Lets a test wait for a line of the log.</summary>
internal sealed class TestLog : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Completion _more = new();

    public async Task SaysAsync(string part)
    {
        while (true)
        {
            await _more.WaitAsync();
            Assert.True(_lines.TryDequeue(out string? line));
            if (line.Contains(part, StringComparison.Ordinal))
                return;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue(formatter(state, exception));
        _more.Complete();
    }
}
