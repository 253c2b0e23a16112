namespace Kworker.Interop.Peers;

/// <summary>Linux's own server, in a guest, which keeps what it exports in its memory.</summary>
internal sealed class Knfsd : IPeerServer
{
    private readonly GuestNetwork _network;
    private readonly LinuxGuest _guest;

    private Knfsd(GuestNetwork network)
    {
        _network = network;
        _guest = LinuxGuest.ServeOn(network, 1, "knfsd.sh");
    }

    /// <summary>Boots one and waits until it serves. The test does not run where no guest can be booted.</summary>
    public static async Task<IPeerServer> StartAsync()
    {
        var server = new Knfsd(GuestNetwork.Start());
        try
        {
            await server._guest.SaysAsync("up");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public string UrlOf(string path) => $"nfs://{LinuxGuest.AddressOn(1)}/srv/{path}";

    public string[] Command(params string[] command) => [.. _network.RunBy, .. command];

    public async Task<string> HashAsync(string name)
    {
        await _guest.TellAsync($"hash {name}");
        return (await _guest.HearAsync("hash ")).Trim().ToUpperInvariant();
    }

    public async Task<string[]> ListAsync()
    {
        await _guest.TellAsync("list");
        return (await _guest.HearAsync("list ")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    public async ValueTask DisposeAsync()
    {
        await _guest.DisposeAsync();
        _network.Dispose();
    }
}
