using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfs;

/// <summary>What the client has to say, on standard error: "nfs: server X not responding, still trying".</summary>
internal sealed class ErrorLog(TextWriter error, LogLevel lowest) : ILoggerFactory, ILogger
{
    private const int ServerOk = 32; // the RPC client's "server X OK": worth saying once "not responding" was said

    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= lowest || logLevel == LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel < lowest && eventId.Id != ServerOk)
            return;
        lock (_lock)
        {
            error.WriteLine($"nfs: {formatter(state, exception)}");
            error.Flush();
        }
    }

    public void Dispose()
    {
    }
}
