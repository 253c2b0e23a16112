using System.Diagnostics;
using System.Globalization;
using Kworker.Interop.Crash;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>
/// The server crashes at any moment, by SIGKILL or by a power cut, again and again on one state directory, while clients of 3, 4.0 and 4.1 open, lock and write. No
/// write that was stable or committed may be missed, no lock be given that somebody may reclaim, no state file be damaged.
/// </summary>
/// <remarks>
/// A failure prints its seed. <c>KWORKER_CRASH_SEED</c> has the long form begin with it, <c>KWORKER_CRASH_RUNS</c> says how many crashes that has (200).
/// </remarks>
public sealed class CrashTests
{
    private const int CrashesOfOneServer = 10;

    [Fact]
    public Task Nothing_that_was_promised_is_lost_over_kills() =>
        RunAsync(new CrashKind(1, IsPowerCut: false, HasOlderClients: true) { Helper = HelperKind.Machine }, 5);

    [Fact]
    public Task Nothing_that_was_promised_is_lost_over_power_cuts() => RunAsync(new CrashKind(2, IsPowerCut: true, HasOlderClients: false), 5);

    [Fact, Trait("Run", "full")]
    public async Task Nothing_that_was_promised_is_lost_over_two_hundred_crashes()
    {
        var seed = Setting("KWORKER_CRASH_SEED", Random.Shared.Next());
        var total = new Counts();
        var left = Setting("KWORKER_CRASH_RUNS", 200);
        for (; left > 0; left -= CrashesOfOneServer, seed++)
            total.Add(await RunAsync(KindOf(seed), Math.Min(left, CrashesOfOneServer)));
        TestContext.Current.TestOutputHelper?.WriteLine($"in all: {total}");
    }

    /// <summary>What a seed tries.</summary>
    private static CrashKind KindOf(int seed) => new(seed, IsPowerCut: seed % 2 == 0, HasOlderClients: seed / 2 % 3 != 0)
    {
        Helper = (HelperKind)(seed % 3),
        KillsHelpers = seed % 5 == 0,
    };

    private static async Task<Counts> RunAsync(CrashKind kind, int crashes)
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: the peer's crashes are its own affair");
        var started = Stopwatch.GetTimestamp();
        var counts = await CrashRun.RunAsync(kind, crashes);
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {crashes} crashes in {Stopwatch.GetElapsedTime(started).TotalSeconds:f1} s: {counts}");
        return counts;
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
