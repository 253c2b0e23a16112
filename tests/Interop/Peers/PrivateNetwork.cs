using System.Diagnostics;

namespace Kworker.Interop.Peers;

/// <summary>
/// A network of its own, with nothing but a loopback, for a server and its clients: there port 111 and <c>/run/rpcbind.sock</c> are free,
/// whatever the machine runs; the same goes for what nfs-utils and we keep below <c>/var/lib</c>. All that was started by its set-up ends with it.
/// </summary>
internal sealed class PrivateNetwork : IAsyncDisposable
{
    private readonly Process _holder;

    private PrivateNetwork(Process holder) => _holder = holder;

    /// <summary>What stands before a command line to run it in this network.</summary>
    public IReadOnlyList<string> RunBy => [Machine.NeedCommand("nsenter", "util-linux"), "-t", $"{_holder.Id}", "--net", "--mount"];

    /// <summary>Shell code that starts a rpcbind in it; the test does not run where there is none.</summary>
    public static string Rpcbind => $"mkdir -p /run/rpcbind && {Machine.NeedCommand("rpcbind", "rpcbind")}";

    /// <summary>
    /// Shell code that starts a rpcbind and nfs-utils' status monitor in it; the test does not run where there are none. The monitor believes in
    /// names only: <c>server</c> is 10.78.0.1.
    /// </summary>
    public static string Statd =>
        $"cp /etc/hosts /run/hosts && echo 10.78.0.1 server >>/run/hosts && mount --bind /run/hosts /etc/hosts && {Rpcbind} && {Machine.NeedCommand("rpc.statd", "nfs-common")} --no-notify";

    /// <summary>Makes one and runs <paramref name="setup"/> (shell) in it; back when that is done.</summary>
    public static async Task<PrivateNetwork> StartAsync(string setup = ":")
    {
        Machine.NeedRoot("make a network of its own, for a second port 111");
        Machine.NeedCommand("ip", "iproute2");
        const string nfsUtils = "if [ -d /var/lib/nfs ]; then mount -t tmpfs none /var/lib/nfs && mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak && touch /var/lib/nfs/state && "
            + "{ ! id -u statd >/dev/null 2>&1 || chown -R statd /var/lib/nfs; }; fi";
        const string ours = "mkdir -p /var/lib/kworker && mount -t tmpfs none /var/lib/kworker";
        var script = $"mount -t tmpfs none /run && ip link set lo up && {nfsUtils} && {ours} && {setup} && echo ready && exec cat";
        var start = new ProcessStartInfo(
            Machine.NeedCommand("unshare", "util-linux"), ["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script])
        {
            RedirectStandardInput = true, // cat holds the network until this is closed
            RedirectStandardOutput = true,
        };
        var network = new PrivateNetwork(Process.Start(start)!);
        if (await network._holder.StandardOutput.ReadLineAsync() == "ready")
            return network;
        await network.DisposeAsync();
        throw new InvalidOperationException($"no private network: {script}");
    }

    /// <summary>
    /// Another one, as another machine on the same wire: this has the addresses 10.78.0.1 and fd78::1 on it, that 10.78.0.2, 10.78.0.3 and fd78::2.
    /// </summary>
    public async Task<PrivateNetwork> StartNeighbourAsync(string setup = ":")
    {
        PrivateNetwork neighbour = await StartAsync(setup);
        Run("sh", "-c", $"ip link add e0 type veth peer name e0 netns {neighbour._holder.Id} && {Addresses("10.78.0.1", "fd78::1")}").Succeeds();
        neighbour.Run("sh", "-c", Addresses("10.78.0.2", "fd78::2") + " && ip addr add 10.78.0.3/24 dev e0").Succeeds();
        return neighbour;
    }

    public Command Run(params string[] command) => Command.Run(RunBy[0], [.. RunBy.Skip(1), .. command]);

    private static string Addresses(string four, string six) => $"ip addr add {four}/24 dev e0 && ip addr add {six}/64 dev e0 nodad && ip link set e0 up";

    public async ValueTask DisposeAsync()
    {
        _holder.Kill();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
    }
}
