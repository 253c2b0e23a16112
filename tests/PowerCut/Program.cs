using System.Globalization;
using System.Net;
using Kworker.Nfsd;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.PowerCut;

/// <summary>A server for interop tests whose power can be cut: it is told so on standard input.</summary>
/// <remarks>
/// <para><c>Kworker.PowerCut PATH[:OPTIONS] [PORT [ADDRESS [STATE-DIRECTORY]]]</c>, as nfsd's options of these names. Port 0 (the default) takes a free one.</para>
/// <para>It prints <c>listening on PORT</c>. For each line <c>cut</c> it takes back what was not synced and prints <c>lost N</c> (bytes); to its clients it is a server
/// that came up again. At the end of input it drains and exits. Killed after a cut and started anew on the same state
/// directory, it is a machine that lost power for a while.</para>
/// </remarks>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments.Length is < 1 or > 4)
        {
            await Console.Error.WriteLineAsync("usage: Kworker.PowerCut PATH[:OPTIONS] [PORT [ADDRESS [STATE-DIRECTORY]]]");
            return 2;
        }
        Export export = ExportTable.ParseArgument(arguments[0]);

        // Async: what a cut takes back is decided here, not by the disk underneath, and tests need not wait for it.
        using LocalFileSystem directory = LocalFileSystem.Open(export.PathBytes, new LocalFileSystemOptions { IsAsync = true });
        var power = new PowerCutFileSystem(directory);
        await using var server = new NfsServer(new NfsServerOptions
        {
            Exports = [new NfsExport(export, power)],
            Port = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 0,
            Addresses = [arguments.Length > 2 ? IPAddress.Parse(arguments[2]) : IPAddress.Loopback],
            StateDirectory = arguments.Length > 3 ? arguments[3] : null,
        });
        await server.StartAsync();
        Console.WriteLine($"listening on {server.Port}");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "cut")
                Console.WriteLine($"lost {power.Cut()}");
            else
                await Console.Error.WriteLineAsync($"unknown command '{line}'; 'cut' cuts the power, the end of input ends the server");
        }
        await server.StopAsync();
        return 0;
    }
}
