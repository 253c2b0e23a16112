using Microsoft.Extensions.Logging;

namespace Kworker.PowerCut.Host;

/// <summary>Says all that the server logs, a line each, to standard error.</summary>
internal sealed class LineLog : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"{formatter(state, exception)} {exception?.Message}".TrimEnd());
    }

    public void Dispose()
    {
    }
}
