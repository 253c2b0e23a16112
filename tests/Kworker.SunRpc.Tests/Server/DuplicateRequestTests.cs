namespace Kworker.SunRpc.Tests;

/// <summary>The duplicate-request cache, seen from the wire.</summary>
public sealed class DuplicateRequestTests
{
    [Fact]
    public async Task A_call_sent_again_is_answered_again_but_runs_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        string call = RawConnection.Call(1, TestProgram.Count, "00000000");
        await client.ExchangeAsync(call, RawConnection.Success(1, "00000001"));
        await client.ExchangeAsync(call, RawConnection.Success(1, "00000001"));
        Assert.Equal(1, server.Program.Counted);
    }

    [Fact]
    public async Task Also_by_another_connection_from_another_port()
    {
        await using TestServer server = await TestServer.StartAsync();
        string call = RawConnection.Call(1, TestProgram.Count, "00000000");
        using (RawConnection first = await RawConnection.OpenAsync(server.EndPoint))
            await first.ExchangeAsync(call, RawConnection.Success(1, "00000001"));
        using RawConnection second = await RawConnection.OpenAsync(server.EndPoint);
        await second.ExchangeAsync(call, RawConnection.Success(1, "00000001"));
    }

    [Fact]
    public async Task Another_number_or_other_arguments_are_another_call()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.ExchangeAsync(RawConnection.Call(1, TestProgram.Count, "00000000"), RawConnection.Success(1, "00000001"));
        await client.ExchangeAsync(RawConnection.Call(2, TestProgram.Count, "00000000"), RawConnection.Success(2, "00000002"));
        await client.ExchangeAsync(RawConnection.Call(1, TestProgram.Count, "00000001"), RawConnection.Success(1, "00000003"));
    }

    [Fact]
    public async Task Another_user_is_another_caller_but_another_stamp_is_not()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        static string Call(uint stamp, uint uid) =>
            $"00000001 00000000 00000002 20000001 00000004 00000002 00000001 00000014 {stamp:X8} 00000000 {uid:X8} 00000000 00000000 00000000 00000000 00000000";
        await client.ExchangeAsync(Call(1, 1000), RawConnection.Success(1, "00000001"));
        await client.ExchangeAsync(Call(1, 1001), RawConnection.Success(1, "00000002"));
        await client.ExchangeAsync(Call(2, 1000), RawConnection.Success(1, "00000001"));
    }

    [Fact]
    public async Task A_duplicate_of_a_running_call_is_dropped()
    {
        // One call is held, so one can run beside it: the duplicate has been dealt with when the one behind it is answered.
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumActiveCalls = 2);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        string call = RawConnection.Call(1, TestProgram.HoldCount, "00000000");
        await client.SendRecordAsync(call);
        await server.Program.Held.WaitAsync();
        await client.SendRecordAsync(call);
        await client.PingAsync();
        server.Program.Release.Complete();
        await client.ExpectAsync(RawConnection.Success(1, "00000001"));
        await client.PingAsync(2); // and no second reply before this one
        Assert.Equal(1, server.Program.Counted);
    }

    [Fact]
    public async Task A_duplicate_that_comes_by_a_new_connection_while_the_call_runs_is_answered_there()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumActiveCalls = 2); // as above
        string call = RawConnection.Call(1, TestProgram.HoldCount, "00000000");
        using RawConnection first = await RawConnection.OpenAsync(server.EndPoint);
        await first.SendRecordAsync(call);
        await server.Program.Held.WaitAsync();
        first.Socket.Close(0);
        using RawConnection second = await RawConnection.OpenAsync(server.EndPoint);
        await second.SendRecordAsync(call);
        await second.PingAsync();
        server.Program.Release.Complete();
        await second.ExpectAsync(RawConnection.Success(1, "00000001"));
        Assert.Equal(1, server.Program.Counted);
    }

    [Fact]
    public async Task A_call_that_failed_runs_again()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        for (int i = 0; i < 2; i++)
            await client.ExchangeAsync(RawConnection.Call(1, TestProgram.Fail), "00000001 00000001 00000000 00000000 00000000 00000005");
        Assert.Equal(2, server.Errors.Errors.Count);
    }

    [Fact]
    public async Task However_often_and_by_whatever_connections_a_call_comes_it_runs_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] calls = [.. Enumerable.Range(0, 200).SelectMany(i => RawConnection.Record(RawConnection.Call((uint)i, TestProgram.Count, $"{i:X8}")))];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            await client.SendAsync(calls);
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            while (await client.ReceiveAsync() is not null)
            {
                // a reply; some do not come, where the call ran for two other connections already
            }
        }));
        Assert.Equal(200, server.Program.Counted);
    }
}
