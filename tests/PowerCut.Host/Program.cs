using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.Versioning;
using Kworker.Nfsd;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.PowerCut;
using Kworker.PowerCut.Host;

[assembly: SupportedOSPlatform("linux")]

// Serves like nfsd, until its standard input says "cut BYTES": once as many bytes or more would be lost, it takes back all that was not
// synced, says how much, and is gone as if the machine were: by SIGKILL, without a word to anybody.
string export = "", state = "";
string? tracking = null;
var port = 0;
var (grace, lease) = (TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(90));
foreach (var (option, value) in args.Chunk(2).Select(pair => (pair[0], pair[1])))
{
    switch (option)
    {
        case "--export":
            export = value;
            break;
        case "--port":
            port = int.Parse(value, CultureInfo.InvariantCulture);
            break;
        case "--state":
            state = value;
            break;
        case "--grace":
            grace = TimeSpan.FromSeconds(int.Parse(value, CultureInfo.InvariantCulture));
            break;
        case "--lease":
            lease = TimeSpan.FromSeconds(int.Parse(value, CultureInfo.InvariantCulture));
            break;
        case "--cltrack":
            tracking = value;
            break;
        case "--rpcbind" when value == "none":
        case "--log-level" when value == "debug":
            break;
        default:
            throw new ArgumentException($"unknown option {option} {value}");
    }
}

using var directory = LocalFileSystem.Open(export[..export.IndexOf(':', StringComparison.Ordinal)]);
var power = new PowerCutFileSystem(directory);
await using var server = new NfsServer(new NfsServerOptions
{
    Exports = [NfsExport.Parse(export, power)],
    Port = port,
    Addresses = [IPAddress.Loopback],
    StateDirectory = state,
    Grace = grace,
    Lease = lease,
    ClientTrackingProgram = tracking,
    LoggerFactory = new LineLog(),
});
await server.StartAsync();
await Console.Out.WriteLineAsync($"listening on {string.Join(", ", server.EndPoints)}");

while (await Console.In.ReadLineAsync() is { } line)
{
    if (line.Split(' ') is not ["cut", var bytes])
        throw new InvalidDataException($"'{line}' is no command: it is 'cut BYTES'");
    var lost = await power.CutWhenUnsyncedAsync(ulong.Parse(bytes, CultureInfo.InvariantCulture));
    await Console.Out.WriteLineAsync($"lost {lost}");
    await Console.Out.FlushAsync();
    Process.GetCurrentProcess().Kill();
}

await server.StopAsync();
