using System.Globalization;
using System.Text.RegularExpressions;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>pynfs, the suite for servers of NFSv4: what fails of it is what docs/nfs.md says.</summary>
/// <remarks><c>PYNFS</c> in the environment names a checkout of it (kofemann/pynfs, or linux-nfs/pynfs).</remarks>
public sealed partial class PynfsTests
{
    // 4.0 waits for leases, and for the delayed acknowledgements of its own long calls.
    private static readonly TimeSpan s_limit = TimeSpan.FromHours(1);

    [Fact, Trait("Run", "full")]
    public Task What_fails_of_version_4_0_is_what_we_say() => RunAsync("4.0", 591, "GSS1 GSS2 GSS3 GSS4 GSS5 GSS6 GSS7 GSS8");

    [Fact, Trait("Run", "full")]
    public Task What_fails_of_version_4_1_is_what_we_say() =>
        RunAsync("4.1", 197, "DELEG1 DELEG2 DELEG23 DELEG24 DELEG25 DELEG3 DELEG5 DELEG6 DELEG7 DELEG8");

    private static async Task RunAsync(string version, int tests, string due)
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: what is said is said of our server");
        var pynfs = Machine.NeedShared("peers/pynfs");
        Machine.NeedRoot("install what the suite needs, and own files as others");
        if (Environment.GetEnvironmentVariable("PYNFS") is not { Length: > 0 } checkout || !Directory.Exists(checkout))
        {
            Assert.Skip("not run: PYNFS in the environment names no checkout of pynfs");
            return;
        }

        await using var server = await NfsServer.StartAsync(new ServerOptions { Arguments = ["--grace", "15", "--lease", "15"] });
        // The suite is for Debian's python; another may stand before it.
        var path = $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}";
        var run = Command.Run(
            pynfs, [version, $"127.0.0.1:{server.Port}{server.Export}"], new Dictionary<string, string> { ["PYNFS"] = checkout, ["PATH"] = path }, limit: s_limit);
        TestContext.Current.TestOutputHelper?.WriteLine($"{run.Output}{run.Error}");

        var sum = Sum.Match(run.Output);
        Assert.True(sum.Success, $"it did not come to its end, exit status {run.ExitCode}");
        var failed = Failure.Matches(run.Output).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
        Assert.Equal(due, string.Join(' ', failed));
        Assert.Equal((tests, 0), (int.Parse(sum.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(sum.Groups[2].Value, CultureInfo.InvariantCulture)));
    }

    [GeneratedRegex(@"^(\S+) +\S+ +: FAILURE$", RegexOptions.Multiline)]
    private static partial Regex Failure { get; }

    [GeneratedRegex(@"^Command line asked for (\d+) of \d+ tests\s+Of those: (\d+) Skipped, \d+ Failed, ", RegexOptions.Multiline)]
    private static partial Regex Sum { get; }
}
