using Microsoft.Extensions.Logging;

namespace Kworker.LockHost;

/// <summary>Says to standard error what a client logs.</summary>
internal sealed class LineLog(int number) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"client{number}: {formatter(state, exception)}");
    }

    public void Dispose()
    {
    }
}
