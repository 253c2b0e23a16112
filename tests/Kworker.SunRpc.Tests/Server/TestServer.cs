using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc.Tests;

/// <summary>A server on a free port of the loopback with the test program; it also keeps what was logged as an error.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(RpcServer server, TestProgram program, ErrorLog errors)
    {
        Rpc = server;
        Program = program;
        Errors = errors;
    }

    public RpcServer Rpc { get; }

    public TestProgram Program { get; }

    public ErrorLog Errors { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Rpc.Port);

    public static async Task<TestServer> StartAsync(Action<RpcServerOptions>? configure = null)
    {
        var errors = new ErrorLog();
        var options = new RpcServerOptions { Name = "test", Logger = errors, Addresses = [IPAddress.Loopback] };
        configure?.Invoke(options);
        var program = new TestProgram();
        var server = new RpcServer(options);
        server.Add(program.Create());
        await server.StartAsync();
        return new TestServer(server, program, errors);
    }

    public async ValueTask DisposeAsync()
    {
        Program.Release.CompleteAll();
        await Rpc.DisposeAsync();
    }

    /// <summary>Takes what is logged; only errors are kept.</summary>
    internal sealed class ErrorLog : ILogger
    {
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Errors
        {
            get
            {
                lock (_errors)
                    return [.. _errors];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception); // also below the level that is kept: every message must be able to be formatted
            if (logLevel < LogLevel.Error)
                return;
            lock (_errors)
                _errors.Add($"{text}: {exception}");
        }
    }
}
