using System.Net;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>Whatever somebody sends: an answer or a refusal, bounded memory, and nothing that is monitored changes.</summary>
public sealed class HostileNsmTests
{
    private const string Victim = "127.0.0.2";
    private const int Calls = 1500;

    [Theory]
    [InlineData("127.0.0.3", NsmProtocol.Stat)] // another machine
    [InlineData("127.0.0.1", NsmProtocol.Mon)] // a program of this one that is not root's; STAT would look its names up
    public async Task Arguments_with_any_bytes_changed_are_answered_or_refused_and_change_nothing(string from, uint first)
    {
        await using var server = new NsmTestServer(new NsmOptions
        {
            RequireReservedPort = true,
            RpcbindPort = 1,
            IsOwnAddress = static address => address.Equals(IPAddress.Loopback),
        });
        await server.StartAsync();
        Assert.True(server.Service.Monitor("victim", IPAddress.Parse(Victim)));
        int state = server.Service.State;
        await using var rpc = new RpcClient(server.EndPoint, RpcTransport.Tcp, new RpcClientOptions { IsSoft = true, LocalAddress = IPAddress.Parse(from) });
        long before = 0;
        int calls = 0;
        foreach ((uint procedure, HostileCalls.Raw arguments) in HostileCalls.From([.. Messages()], first, NsmProtocol.Notify, Calls))
        {
            await rpc.TryAsync(NsmProtocol.Program, NsmProtocol.Version, procedure, arguments);
            if (++calls == Calls / 3) // what it needs once is there by then
                before = GC.GetTotalMemory(forceFullCollection: true);
        }
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20); // other tests run meanwhile
        Assert.Equal((state, 1, 0), (server.Service.State, server.Service.Count, server.Service.NotifyingCount));

        // What had been counted would be told of before this.
        using var victim = new NsmWire(Victim, server.EndPoint);
        await victim.NotifyAsync("victim", 9);
        await server.ReportedAsync();
        Assert.Equal([new NsmReboot("victim", IPAddress.Parse(Victim), 9)], server.Reboots);
    }

    private static IEnumerable<byte[]> Messages()
    {
        byte[] name = "127.0.0.2"u8.ToArray();
        var id = new NsmMonId(name, new NsmMyId("me"u8.ToArray(), 0x20000077, 1, 3));
        yield return HostileCalls.Encode(new NsmName(name));
        yield return HostileCalls.Encode(new NsmMon(id, new byte[16]));
        yield return HostileCalls.Encode(id);
        yield return HostileCalls.Encode(id.MyId);
        yield return HostileCalls.Encode(new NsmStateChange(name, 5));
    }
}
