using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Kworker.Stress;

/// <summary>
/// Everything at once, on random sizes, for KWORKER_STRESS_MINUTES (2 unless told otherwise). A failure names the seed, which KWORKER_STRESS_SEED repeats: the same worlds
/// with the same operations; how the threads interleave is the machine's.
/// </summary>
public sealed class StressTests
{
    [Fact]
    public void Everything_at_once_loses_nothing_and_leaves_nothing_behind()
    {
        double minutes = double.Parse(Setting("KWORKER_STRESS_MINUTES") ?? "2", CultureInfo.InvariantCulture);
        int seed = Setting("KWORKER_STRESS_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        Console.WriteLine($"stress: KWORKER_STRESS_SEED={seed}, {minutes} minutes");
        long start = Stopwatch.GetTimestamp();
        string[]? descriptors = null;
        for (int round = 0; Stopwatch.GetElapsedTime(start).TotalMinutes < minutes; round++)
        {
            var verdict = new Verdict();
            List<(string Name, WeakReference Reference)> watched = [];
            RunRound(round, unchecked(seed + (round * 7919)), verdict, watched);
            if (!verdict.HasFailed && Leaks.Wait(descriptors ?? Leaks.Descriptors(), watched) is { } left)
                verdict.Fail(left);
            if (verdict.HasFailed)
                Assert.Fail($"KWORKER_STRESS_SEED={seed}, round {round}:\n{verdict.Failures}");
            descriptors ??= Leaks.Descriptors(); // those that the process keeps for itself are open by now
        }
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Some worlds side by side. On a thread that ends, so that nothing stays alive on a stack of ours.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunRound(int round, int seed, Verdict verdict, List<(string Name, WeakReference Reference)> watched)
    {
        var random = new Random(seed);
        // What actors wait for outside of their world's threads belongs to the default system: it, too, is made and ends with the round.
        KworkerSystem common = new(new KworkerSystemOptions { Log = text => verdict.Fail($"default system: logged: {text}") });
        KworkerSystem.Default = common;
        TimeSpan time = TimeSpan.FromSeconds(1 + (random.NextDouble() * 5));
        Thread[] threads = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i =>
        {
            int worldSeed = random.Next();
            return new Thread(() => RunWorld($"round {round} world {i}", worldSeed, time, verdict, watched)) { Name = $"st/world{i}", IsBackground = true };
        })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        if (!verdict.HasFailed)
            common.Dispose();
        KworkerSystem.Default = new KworkerSystem();
    }

    private static void RunWorld(string name, int seed, TimeSpan time, Verdict verdict, List<(string Name, WeakReference Reference)> watched)
    {
        try
        {
            var world = new World(name, seed, verdict, watched);
            world.Run(time);
            Console.WriteLine($"stress: {world.Counts()}");
        }
        catch (Exception e)
        {
            verdict.Fail($"{name}: {e}");
        }
    }
}
