using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.SunRpc.Tests;

/// <summary>A server that stalls, drops, closes and answers twice, on a clock of the test's.</summary>
public sealed class RpcClientTimeoutTests : IAsyncLifetime
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedServer _server = new();
    private readonly LineLog _log = new();
    private readonly KworkerSystem _system;

    public RpcClientTimeoutTests() => _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task A_call_without_reply_is_sent_again_and_the_silence_said_once()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(s_second, 2)); // waits of 1, 2 and, cut by patience of 3 s, 0 s
        var states = new List<bool>();
        client.RespondingChanged += (_, responds) => states.Add(responds);
        Task<Number> call = CallAsync(client, 5);
        using ScriptedConnection connection = await _server.AcceptAsync();
        (uint xid, _) = await connection.ReceiveAsync();
        _time.Advance(s_second);
        Assert.Equal((xid, 5u), await connection.ReceiveAsync());
        Assert.Empty(_log.Lines);
        _time.Advance(2 * s_second);
        Assert.Equal((xid, 5u), await connection.ReceiveAsync());
        _time.Advance(s_second); // patience starts anew
        Assert.Equal((xid, 5u), await connection.ReceiveAsync());
        _time.Advance(2 * s_second);
        Assert.Equal((xid, 5u), await connection.ReceiveAsync());
        await connection.ReplyAsync(xid, 50);
        Assert.Equal(50u, (await call).Value);
        Assert.Equal(["server test not responding, still trying", "server test OK"], _log.Lines);
        Assert.Equal([false, true], states);
    }

    [Fact]
    public async Task A_soft_call_fails_when_patience_ends()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(s_second, 1), soft: true);
        Task<Number> call = CallAsync(client, 5);
        using ScriptedConnection connection = await _server.AcceptAsync();
        (uint xid, _) = await connection.ReceiveAsync();
        _time.Advance(s_second);
        await connection.ReceiveAsync();
        _time.Advance(s_second);
        await Assert.ThrowsAsync<RpcTimeoutException>(() => call);
        Assert.Equal(["server test not responding, timed out"], _log.Lines);

        // A reply that comes too late is dropped, and the server is well again with the next that is waited for.
        await connection.ReplyAsync(xid, 50);
        Task<Number> next = CallAsync(client, 6);
        (uint nextXid, _) = await connection.ReceiveAsync();
        Assert.NotEqual(xid, nextXid);
        await connection.ReplyAsync(nextXid, 60);
        Assert.Equal(60u, (await next).Value);
        Assert.Equal("server test OK", _log.Lines[^1]);
    }

    [Fact]
    public async Task Waits_double_where_messages_are_lost()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = new RpcClient((IPEndPoint)socket.LocalEndPoint!, RpcTransport.Udp, Options(RpcTimeouts.Exponential(s_second, 3), soft: true));
        Task<Number> call = CallAsync(client, 5);
        byte[] buffer = new byte[1000];
        await socket.ReceiveAsync(buffer);
        foreach (int seconds in (int[])[1, 2, 4])
        {
            // Not a millisecond earlier: what is there then came by the advance.
            _time.Advance((seconds * s_second) - TimeSpan.FromMilliseconds(1));
            Assert.False(call.IsCompleted);
            Assert.Equal(0, socket.Available);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await socket.ReceiveAsync(buffer);
        }
        _time.Advance(s_second); // 1 + 2 + 4 + 1 = 8 seconds
        await Assert.ThrowsAsync<RpcTimeoutException>(() => call);
    }

    [Fact]
    public async Task Calls_are_sent_again_on_a_new_connection_in_place_of_the_lost_one()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(60 * s_second, 2));
        Task<Number>[] calls = [.. Enumerable.Range(0, 5).Select(i => CallAsync(client, (uint)i))];
        var xids = new Dictionary<uint, uint>();
        using (ScriptedConnection first = await _server.AcceptAsync())
        {
            for (int i = 0; i < 5; i++)
            {
                (uint xid, uint argument) = await first.ReceiveAsync();
                xids.Add(xid, argument);
            }
        }
        using ScriptedConnection second = await AcceptAgainAsync();
        for (int i = 0; i < 5; i++)
        {
            (uint xid, uint argument) = await second.ReceiveAsync();
            Assert.Equal(xids[xid], argument);
            await second.ReplyAsync(xid, argument + 100);
            await second.ReplyAsync(xid, 1000); // a reply that comes twice counts once
        }
        for (int i = 0; i < 5; i++)
            Assert.Equal((uint)i + 100, (await calls[i]).Value);
    }

    [Fact]
    public async Task A_server_that_claims_too_long_a_reply_is_disconnected_and_asked_again()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(60 * s_second, 2));
        Task<Number> call = CallAsync(client, 5);
        using ScriptedConnection first = await _server.AcceptAsync();
        (uint xid, _) = await first.ReceiveAsync();
        await first.SendAsync(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF });
        Assert.True(await first.IsEndedAsync());
        using ScriptedConnection second = await AcceptAgainAsync();
        Assert.Equal((xid, 5u), await second.ReceiveAsync());
        await second.ReplyAsync(xid, 50);
        Assert.Equal(50u, (await call).Value);
    }

    [Fact]
    public async Task What_is_no_reply_is_passed_over_and_a_bad_result_is_an_error()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(60 * s_second, 2));
        Task<Number> call = CallAsync(client, 5);
        using ScriptedConnection connection = await _server.AcceptAsync();
        (uint xid, _) = await connection.ReceiveAsync();
        await connection.SendAsync(RawConnection.Record("")); // nothing
        await connection.SendAsync(RawConnection.Record($"{xid:X8}")); // cut short
        await connection.SendAsync(RawConnection.Record(RawConnection.Call(xid, 0))); // a call
        await connection.SendAsync(RawConnection.Record(RawConnection.Success(xid ^ 1, "00000001"))); // of nobody's
        await connection.ReplyAsync(xid, 50);
        Assert.Equal(50u, (await call).Value);

        Task<Number> bad = CallAsync(client, 6);
        (xid, _) = await connection.ReceiveAsync();
        await connection.SendAsync(RawConnection.Record($"{xid:X8} 00000001 00000000 00000000 7FFFFFFF"));
        await Assert.ThrowsAsync<XdrException>(() => bad);
    }

    [Fact]
    public async Task A_cancelled_call_is_given_up_at_once()
    {
        await using RpcClient client = Client(RpcTimeouts.Linear(60 * s_second, 2));
        using var cancellation = new CancellationTokenSource();
        Task<Number> call = client.CallAsync<Number, Number>(TestProgram.Id, 4, 1, new Number(5), cancellation.Token).AsTask();
        using ScriptedConnection connection = await _server.AcceptAsync();
        (uint xid, _) = await connection.ReceiveAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await connection.ReplyAsync(xid, 50);
        Task<Number> next = CallAsync(client, 6);
        (xid, _) = await connection.ReceiveAsync();
        await connection.ReplyAsync(xid, 60);
        Assert.Equal(60u, (await next).Value);
    }

    [Fact]
    public async Task Closing_the_client_fails_its_calls()
    {
        RpcClient client = Client(RpcTimeouts.Linear(60 * s_second, 2));
        Task<Number> call = CallAsync(client, 5);
        using ScriptedConnection connection = await _server.AcceptAsync();
        await connection.ReceiveAsync();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<RpcClientException>(() => call);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => CallAsync(client, 6));
        Assert.True(await connection.IsEndedAsync());
    }

    private RpcClient Client(RpcTimeouts timeouts, bool soft = false) => new(_server.EndPoint, RpcTransport.Tcp, Options(timeouts, soft));

    private RpcClientOptions Options(RpcTimeouts timeouts, bool soft) => new()
    {
        ServerName = "test",
        Timeouts = timeouts,
        IsSoft = soft,
        System = _system,
        Logger = _log,
        ReconnectDelay = TimeSpan.FromMilliseconds(1),
    };

    // The client waits before it connects again, on the test's clock; when it begins to wait nobody tells.
    private async Task<ScriptedConnection> AcceptAgainAsync()
    {
        Task<ScriptedConnection> accepted = _server.AcceptAsync();
        while (!accepted.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }
        return await accepted;
    }

    private static Task<Number> CallAsync(RpcClient client, uint argument) =>
        client.CallAsync<Number, Number>(TestProgram.Id, 4, 1, new Number(argument)).AsTask();

    private sealed class LineLog : ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string line = formatter(state, exception);
            if (logLevel == LogLevel.Debug)
                return;
            lock (_lines)
                _lines.Add(line);
        }
    }
}
