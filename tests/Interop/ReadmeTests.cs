using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>What the README promises a newcomer, tried in a fresh clone with nothing built before.</summary>
public sealed class ReadmeTests
{
    [Fact, Trait("Run", "full")]
    public async Task Its_command_serves_a_directory_from_a_clean_clone()
    {
        var copy = Machine.NeedCommand("nfs-cp", "libnfs-utils");
        using var local = new TemporaryDirectory();
        var clone = Path.Combine(local.Path, "clone");
        Command.Run(Machine.NeedCommand("git", "git"), ["clone", "--quiet", Machine.Repository, clone]).Succeeds();
        var command = File.ReadLines(Path.Combine(clone, "README.md")).Single(line => line.Contains("dotnet run --project apps/nfsd", StringComparison.Ordinal));
        Assert.Contains("--export /tmp/export:", command, StringComparison.Ordinal);
        Assert.Contains("--port 20049", command, StringComparison.Ordinal);

        // Its own directory and port, else to the letter.
        var export = Path.Combine(local.Path, "export");
        var port = Machine.FreePort().ToString(CultureInfo.InvariantCulture);
        command = command.Replace("/tmp/export", export, StringComparison.Ordinal).Replace("20049", port, StringComparison.Ordinal);
        using var server = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardOutput = true, WorkingDirectory = clone })!;
        try
        {
            var said = new StringBuilder();
            while (!said.ToString().Contains("listening", StringComparison.Ordinal))
            {
                var line = await server.StandardOutput.ReadLineAsync().WaitAsync(Command.Limit);
                Assert.True(line is not null, $"{command}\nended and said:\n{said}");
                said.AppendLine(line);
            }

            Assert.Contains("mount -t nfs", said.ToString(), StringComparison.Ordinal);
            // A client that is root is nobody there, by root_squash.
            Command.Run("chmod", ["777", export]).Succeeds();
            Command.Run(copy, [Path.Combine(clone, "README.md"), $"nfs://127.0.0.1{export}/README.md?nfsport={port}&mountport={port}"]).Succeeds();
            Assert.Equal(File.ReadAllText(Path.Combine(clone, "README.md")), File.ReadAllText(Path.Combine(export, "README.md")));
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
        }
    }
}
