namespace Kworker.SunRpc.Tests;

/// <summary>Every answer that RFC 5531 knows, word by word.</summary>
public sealed class RpcErrorTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private RawConnection _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = await RawConnection.OpenAsync(_server.EndPoint);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public Task NULL_answers() => _client.ExchangeAsync(
        "11223344 00000000 00000002 20000001 00000004 00000000   00000000 00000000   00000000 00000000",
        "11223344 00000001 00000000   00000000 00000000   00000000");

    [Theory]
    [InlineData("00000006 00000004 DEADBEEF   00000000 00000000")] // RPCSEC_GSS
    [InlineData("00000063 00000000   00000063 00000008 0102030405060708")] // unheard of, verifier too
    [InlineData("00000001 00000004 FFFFFFFF   00000000 00000000")] // AUTH_SYS that is none
    public Task NULL_accepts_any_credential(string auth) => _client.ExchangeAsync(
        $"00000001 00000000 00000002 20000001 00000004 00000000 {auth}", "00000001 00000001 00000000 00000000 00000000 00000000");

    [Fact]
    public Task A_procedure_runs() => _client.ExchangeAsync(
        RawConnection.Call(5, TestProgram.Echo, "00000005 68656C6C6F 000000"), RawConnection.Success(5, "00000005 68656C6C6F 000000"));

    [Theory]
    [InlineData("00000001")]
    [InlineData("00000003")]
    [InlineData("FFFFFFFF")]
    public Task Another_RPC_version_is_RPC_MISMATCH(string version) => _client.ExchangeAsync(
        $"00000007 00000000 {version} 20000001 00000004 00000000 00000000 00000000 00000000 00000000",
        "00000007 00000001 00000001 00000000 00000002 00000002");

    [Fact]
    public Task An_unknown_program_is_PROG_UNAVAIL() => _client.ExchangeAsync(
        RawConnection.Call(8, 0, program: 100003), "00000008 00000001 00000000 00000000 00000000 00000001");

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(3u)] // between the two that there are
    [InlineData(5u)]
    public Task Another_version_is_PROG_MISMATCH_with_lowest_and_highest(uint version) => _client.ExchangeAsync(
        RawConnection.Call(9, 0, version: version), "00000009 00000001 00000000 00000000 00000000 00000002 00000002 00000004");

    [Theory]
    [InlineData(11u)]
    [InlineData(0xFFFFFFFF)]
    public Task An_unknown_procedure_is_PROC_UNAVAIL(uint procedure) => _client.ExchangeAsync(
        RawConnection.Call(10, procedure), "0000000A 00000001 00000000 00000000 00000000 00000003");

    [Theory]
    [InlineData("")]
    [InlineData("00000005")]
    [InlineData("00000005 68656C6C")]
    [InlineData("FFFFFFFF 68656C6C")]
    [InlineData("00100001 68656C6C")]
    public Task Arguments_that_do_not_decode_are_GARBAGE_ARGS(string arguments) => _client.ExchangeAsync(
        RawConnection.Call(11, TestProgram.Echo, arguments), "0000000B 00000001 00000000 00000000 00000000 00000004");

    [Fact]
    public async Task A_handler_that_throws_is_SYSTEM_ERR_and_an_error_in_the_log()
    {
        await _client.ExchangeAsync(RawConnection.Call(12, TestProgram.Fail), "0000000C 00000001 00000000 00000000 00000000 00000005");
        Assert.Contains("test v4 FAIL", Assert.Single(_server.Errors.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public Task A_reply_past_the_limit_is_SYSTEM_ERR() => _client.ExchangeAsync(
        RawConnection.Call(13, TestProgram.TooLong), "0000000D 00000001 00000000 00000000 00000000 00000005");

    [Fact]
    public Task A_handler_may_refuse_its_caller() => _client.ExchangeAsync(
        RawConnection.Call(14, TestProgram.Refuse), "0000000E 00000001 00000001 00000001 00000005");

    [Theory]
    [InlineData("00000006 00000000   00000000 00000000")] // a flavor that is not supported
    [InlineData("00000002 00000000   00000000 00000000")]
    [InlineData("00000000 00000004 00000000   00000000 00000000")] // AUTH_NONE with a body
    [InlineData("00000001 00000000   00000000 00000000")] // AUTH_SYS without
    [InlineData("00000001 00000010 00000000 00000000 00000000 00000000   00000000 00000000")] // without groups
    [InlineData("00000001 00000018 00000000 00000000 00000000 00000000 00000000 00000000   00000000 00000000")] // with bytes left over
    [InlineData("00000001 00000014 00000000 00000100 00000000 00000000 00000000   00000000 00000000")] // a name past 255 bytes
    [InlineData("00000001 00000194 00000000   00000000 00000000")] // a body past 400 bytes
    [InlineData("00000001 00000100 00000000")] // a body longer than the record
    [InlineData("00000001")]
    public Task A_bad_credential_is_AUTH_BADCRED(string auth) => _client.ExchangeAsync(
        $"0000000F 00000000 00000002 20000001 00000004 00000001 {auth}", "0000000F 00000001 00000001 00000001 00000001");

    [Fact]
    public Task More_than_sixteen_groups_are_AUTH_BADCRED() => _client.ExchangeAsync(
        "00000010 00000000 00000002 20000001 00000004 00000001 00000001 00000058 00000000 00000000 00000000 00000000 00000011 " +
        $"{string.Concat(Enumerable.Repeat("00000001", 17))} 00000000 00000000",
        "00000010 00000001 00000001 00000001 00000001");

    [Theory]
    [InlineData("00000000 00000000   00000001 00000000")]
    [InlineData("00000000 00000000   00000000 00000004 00000000")]
    [InlineData("00000000 00000000   00000000 00000191")]
    [InlineData("00000000 00000000   00000000")]
    [InlineData("00000000 00000000")]
    public Task A_bad_verifier_is_AUTH_BADVERF(string auth) => _client.ExchangeAsync(
        $"00000011 00000000 00000002 20000001 00000004 00000001 {auth}", "00000011 00000001 00000001 00000001 00000003");

    [Fact]
    public Task AUTH_SYS_tells_who_calls()
    {
        int port = ((System.Net.IPEndPoint)_client.Socket.LocalEndPoint!).Port;
        return _client.ExchangeAsync(
            "00000012 00000000 00000002 20000001 00000004 00000006 " +
            "00000001 00000024 12345678 00000003 616263 00 000003E8 00000064 00000003 00000004 00000005 00000006 00000000 00000000",
            RawConnection.Success(0x12, $"000003E8 00000064 00000003 00000004 00000005 00000006 00000003 61626300 {port:X8}"));
    }

    [Theory]
    [InlineData("")] // an empty record
    [InlineData("00000001")]
    [InlineData("00000001 00000000")]
    [InlineData("00000001 00000000 00000002 20000001")] // cut short before the procedure
    [InlineData("00000001 00000001 00000000 00000000 00000000 00000000")] // a reply
    [InlineData("00000001 00000002 00000002 20000001 00000004 00000000 00000000 00000000 00000000 00000000")]
    public async Task What_is_no_call_ends_the_connection_and_nothing_else(string message)
    {
        await _client.SendRecordAsync(message);
        await _client.ExpectEndAsync();
        using RawConnection other = await RawConnection.OpenAsync(_server.EndPoint);
        await other.PingAsync();
    }
}
