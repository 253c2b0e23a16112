using System.Text.Json;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>packaging/container/Containerfile: no image can be built where the tests run, but its instructions are checked, and the programs that it names are run.</summary>
public sealed class ContainerfileTests
{
    private static readonly string s_path = Path.Combine(Machine.Repository, "packaging", "container", "Containerfile");

    [Fact]
    public void A_linter_finds_nothing()
    {
        var linter = Machine.NeedCommand("dockerfile-utils", "npm, then npm install --global dockerfile-utils");
        var found = Command.Run(linter, ["lint", s_path]).Succeeds();
        Assert.Equal("", (found.Output + found.Error).Trim());

        // That it finds something where there is something.
        using var local = new TemporaryDirectory();
        var broken = Path.Combine(local.Path, "Containerfile");
        File.WriteAllText(broken, File.ReadAllText(s_path).Replace("EXPOSE 2049/tcp", "EXPOSE nfs", StringComparison.Ordinal));
        Assert.NotEqual(0, Command.Run(linter, ["lint", broken]).ExitCode);
    }

    [Fact]
    public async Task What_it_starts_serves_and_is_healthy()
    {
        var lines = File.ReadAllLines(s_path);
        using var local = new TemporaryDirectory();
        string[] entry = [.. WordsOf("ENTRYPOINT "), .. WordsOf("CMD "), "--port", "0", "--rpcbind", "none"];
        Assert.Contains($"COPY --from=build /nfsd {Path.GetDirectoryName(entry[0])}", lines);
        var (serving, state) = (local.Folder("srv"), local.Folder("state"));
        await using var server = Talk.Start([.. entry.Select(Here)]);
        Assert.Contains($"serving {serving} (rw)", await server.HearAsync(), StringComparison.Ordinal);

        string[] health = [.. WordsOf("HEALTHCHECK ").Select(Here)];
        var environment = new Dictionary<string, string> { ["DOTNET_ROOT"] = Machine.DotnetRoot };
        Command.Run(health[0], health[1..], environment).Succeeds();
        server.Signal(lines.Single(line => line.StartsWith("STOPSIGNAL SIG", StringComparison.Ordinal))["STOPSIGNAL SIG".Length..]);
        Assert.Equal(0, await server.EndsAsync());
        Assert.NotEqual(0, Command.Run(health[0], health[1..], environment).ExitCode);

        string[] WordsOf(string instruction)
        {
            var line = lines.Single(line => line.StartsWith(instruction, StringComparison.Ordinal));
            return JsonSerializer.Deserialize<string[]>(line[line.IndexOf('[')..])!;
        }

        string Here(string word) => word.Replace(entry[0], Machine.Nfsd, StringComparison.Ordinal).Replace("/srv:", $"{serving}:", StringComparison.Ordinal)
            .Replace("/var/lib/kworker/nfsd", state, StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
    }
}
