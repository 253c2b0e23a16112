namespace Kworker.Interop.Peers;

/// <summary>A network of a server (10.77.0.1) and guests that reach each other, as NFSv3 locks need; its port 111 is nobody else's.</summary>
internal sealed class GuestNetwork : IDisposable
{
    private readonly string _linuxNet;

    private GuestNetwork(string linuxNet)
    {
        _linuxNet = linuxNet;
        Name = $"kw{Environment.ProcessId}x{Random.Shared.Next(1000)}";
    }

    public string Name { get; }

    /// <summary>What stands before a command line to run it on the server's side.</summary>
    public IReadOnlyList<string> RunBy => [_linuxNet, "run", Name];

    /// <summary>A server on it, which brings all that locks need; nothing else runs beside it.</summary>
    public Task<NfsServer> ServeAsync(params IReadOnlyList<string> arguments) => NfsServer.StartAsync(new ServerOptions
    {
        RunBy = RunBy,
        Rpcbind = "builtin",
        Arguments = ["--bind", "0.0.0.0", .. arguments],
    });

    /// <summary>Makes one; the test does not run where that cannot be.</summary>
    public static GuestNetwork Start()
    {
        LinuxGuest.Need();
        Machine.NeedCommand("ip", "iproute2");
        var network = new GuestNetwork(Machine.NeedShared("linux-client/linux-net"));
        Command.Run(network._linuxNet, ["up", network.Name]).Succeeds();
        return network;
    }

    public void Dispose() => Command.Run(_linuxNet, ["down", Name]);
}
