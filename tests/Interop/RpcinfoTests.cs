using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>rpcinfo, a client of the RPC layer and of rpcbind alone, and the machine's own rpcbind.</summary>
/// <remarks>Where port 111 is needed the server and its clients stand in a network of their own: the machine's rpcbind is not touched.</remarks>
public sealed class RpcinfoTests
{
    private const string Nfs = "100003";
    private const string Mount = "100005";

    [Theory]
    [InlineData("tcp", 4)]
    [InlineData("udp", 3)]
    public async Task It_calls_the_null_procedure_of_each_program_on_the_one_port(string transport, int highest)
    {
        NeedRpcinfo();
        await using var server = await NfsServer.StartAsync();

        Assert.Contains("program 100003 version 3 ready and waiting", Null(server, transport, Nfs, "3").Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("program 100005 version 3 ready and waiting", Null(server, transport, Mount, "3").Succeeds().Output, StringComparison.Ordinal);

        var version = Null(server, transport, Nfs, "9");
        Assert.NotEqual(0, version.ExitCode);
        Assert.Contains($"low version = 3, high version = {highest}", version.Error, StringComparison.Ordinal);

        var program = Null(server, transport, "100099", "1");
        Assert.NotEqual(0, program.ExitCode);
        Assert.Contains("Program unavailable", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_built_in_rpcbind_answers_in_all_its_versions()
    {
        var rpcinfo = NeedRpcinfo();
        await using var network = await PrivateNetwork.StartAsync();
        await using var server = await NfsServer.StartAsync(new ServerOptions { Rpcbind = "builtin", RunBy = network.RunBy });

        // Version 2 dumps by -p, 3 and 4 by the short and the long form.
        var second = network.Run(rpcinfo, "-p", "127.0.0.1").Succeeds().Output;
        foreach (var program in new[] { Nfs, Mount })
        {
            foreach (var transport in new[] { "tcp", "udp" })
                Assert.Matches($@"{program}\s+3\s+{transport}\s+{server.Port}\b", second);
        }

        Assert.Matches(@"100003\s+(3,4|4,3)\s+\S*tcp", network.Run(rpcinfo, "-s", "127.0.0.1").Succeeds().Output);
        var fourth = network.Run(rpcinfo, "127.0.0.1").Succeeds().Output;
        Assert.Matches($@"100005\s+3\s+tcp\s+\S+\.{server.Port >> 8}\.{server.Port & 255}\b", fourth);
        foreach (var version in new[] { "2", "3", "4" })
            Assert.Contains($"program 100000 version {version} ready", network.Run(rpcinfo, "-t", "127.0.0.1", "100000", version).Succeeds().Output, StringComparison.Ordinal);

        AllKnowWhereItIs(network, server, rpcinfo);
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task It_registers_with_the_machines_rpcbind_and_takes_its_names_away_again()
    {
        var rpcinfo = NeedRpcinfo();
        await using var network = await PrivateNetwork.StartAsync(Machine.NeedCommand("rpcbind", "rpcbind"));
        await using var server = await NfsServer.StartAsync(new ServerOptions { Rpcbind = "system", RunBy = network.RunBy });
        AllKnowWhereItIs(network, server, rpcinfo);

        Assert.Equal(0, await server.StopAsync());
        var left = network.Run(rpcinfo, "-p", "127.0.0.1").Succeeds().Output;
        Assert.DoesNotContain(Nfs, left, StringComparison.Ordinal);
        Assert.DoesNotContain(Mount, left, StringComparison.Ordinal);

        // A server that was killed leaves its names; its successor takes them over.
        await server.StartAgainAsync();
        await server.KillAsync();
        await server.StartAgainAsync();
        AllKnowWhereItIs(network, server, rpcinfo);
    }

    /// <summary>By rpcbind alone, no port given: rpcinfo over both transports, and a whole client.</summary>
    private static void AllKnowWhereItIs(PrivateNetwork network, NfsServer server, string rpcinfo)
    {
        foreach (var transport in new[] { "-t", "-u" })
        {
            foreach (var program in new[] { Nfs, Mount })
                Assert.Contains("version 3 ready", network.Run(rpcinfo, transport, "127.0.0.1", program, "3").Succeeds().Output, StringComparison.Ordinal);
        }

        File.WriteAllText(server.PathOf("found"), "by rpcbind");
        var cat = network.Run(Machine.NeedCommand("nfs-cat", "libnfs-utils"), $"nfs://127.0.0.1{server.PathOf("found")}");
        Assert.Equal("by rpcbind", cat.Succeeds().Output);
    }

    /// <summary>Calls procedure 0 at the universal address (RFC 5665) of the server's port: Debian's <c>rpcinfo -n</c> reaches no port at all.</summary>
    private static Command Null(NfsServer server, string transport, string program, string version) =>
        Command.Run(NeedRpcinfo(), ["-a", $"127.0.0.1.{server.Port >> 8}.{server.Port & 255}", "-T", transport, program, version]);

    private static string NeedRpcinfo()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: the peer has several ports");
        return Machine.NeedCommand("rpcinfo", "rpcbind");
    }
}
