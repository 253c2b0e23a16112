using System.Diagnostics;

namespace Kworker.Interop.Peers;

/// <summary>
/// A network of its own, with nothing but a loopback, for a server and its clients: there port 111 and <c>/run/rpcbind.sock</c> are free,
/// whatever the machine runs. All that was started by its set-up ends with it.
/// </summary>
internal sealed class PrivateNetwork : IAsyncDisposable
{
    private readonly Process _holder;

    private PrivateNetwork(Process holder) => _holder = holder;

    /// <summary>What stands before a command line to run it in this network.</summary>
    public IReadOnlyList<string> RunBy => [Machine.NeedCommand("nsenter", "util-linux"), "-t", $"{_holder.Id}", "--net", "--mount"];

    /// <summary>Makes one and runs <paramref name="setup"/> (shell) in it; back when that is done.</summary>
    public static async Task<PrivateNetwork> StartAsync(string setup = ":")
    {
        Machine.NeedRoot("make a network of its own, for a second port 111");
        Machine.NeedCommand("ip", "iproute2");
        var script = $"mount -t tmpfs none /run && ip link set lo up && {setup} && echo ready && exec cat";
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

    public Command Run(params string[] command) => Command.Run(RunBy[0], [.. RunBy.Skip(1), .. command]);

    public async ValueTask DisposeAsync()
    {
        _holder.Kill();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
    }
}
