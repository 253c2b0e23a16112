using System.Globalization;
using System.Runtime.CompilerServices;

namespace Kworker.Systematic;

/// <summary>
/// Runs a scenario through many schedules, each from a seed. The seeds are the same each time, so that a run of the tests tells the same tale;
/// <c>KWORKER_SEED</c> runs one alone, <c>KWORKER_SCHEDULES_PERCENT</c> makes them more or fewer, <c>KWORKER_SEED_BASE</c> takes others.
/// </summary>
internal static class Explorer
{
    private const int UsualPercent = 20;

    private static readonly int? s_seed = Variable("KWORKER_SEED");
    private static readonly int s_percent = Variable("KWORKER_SCHEDULES_PERCENT") ?? UsualPercent;
    private static readonly int s_base = Variable("KWORKER_SEED_BASE") ?? 1;

    /// <summary>Fails with the seed and the way to the failure when a schedule fails.</summary>
    /// <param name="body">The scenario. Threads that it started are joined and its system is disposed of after it; no thread may be left then.</param>
    /// <param name="schedules">How many.</param>
    /// <param name="horizon">How far time may go, in seconds: idle workers end after 30.</param>
    /// <param name="name">The scenario's name.</param>
    /// <param name="file">The scenario's file, named like its class.</param>
    internal static void Explore(
        Action<Scenario> body, int schedules = 1000, int horizon = 20, [CallerMemberName] string name = "", [CallerFilePath] string file = "")
    {
        string? failure = Find(body, schedules * s_percent / 100, horizon, out int tried);
        Explored.Note(Path.GetFileNameWithoutExtension(file), name, tried);
        if (failure is not null)
            throw new ScheduleException($"{name}: {failure}");
    }

    /// <summary>The usual number of schedules, or more.</summary>
    internal static bool IsWhole => s_seed is null && s_percent >= UsualPercent;

    /// <summary>The first failure; null when there is none.</summary>
    internal static string? Find(Action<Scenario> body, int schedules, int horizon, out int tried)
    {
        int expectedSteps = 100;
        tried = 0;
        for (int i = 0; i < schedules; i++)
        {
            int seed = s_seed ?? unchecked((s_base * 1_000_003) + i);
            if (s_seed is not null)
                expectedSteps = Variable("KWORKER_STEPS") ?? expectedSteps;
            Schedule schedule = RunOne(body, seed, expectedSteps, horizon, traces: false);
            tried++;
            if (schedule.Failure is not null)
                return Describe(body, seed, expectedSteps, horizon, schedule);
            if (s_seed is not null)
                return null;
            expectedSteps = Math.Max(20, ((expectedSteps * 7) + schedule.Steps) / 8);
        }

        return null;
    }

    internal static Schedule RunOne(Action<Scenario> body, int seed, int expectedSteps, int horizon, bool traces)
    {
        StaticState.Reset();
        var schedule = new Schedule(Strategy.ForSeed(seed, expectedSteps), TimeSpan.FromSeconds(horizon), traces);
        Crash.Note(seed, expectedSteps);
        schedule.Run(() =>
        {
            var scenario = new Scenario(schedule);
            body(scenario);
            scenario.End();
        });
        return schedule;
    }

    private static string Describe(Action<Scenario> body, int seed, int expectedSteps, int horizon, Schedule schedule)
    {
        Schedule again = RunOne(body, seed, expectedSteps, horizon, traces: true);
        string way = again.Fingerprint == schedule.Fingerprint
            ? $"the last of its {again.Steps} steps:{again.Trace(120)}"
            : "run again, it went another way";
        return string.Create(CultureInfo.InvariantCulture,
            $"seed {seed} ({Strategy.ForSeed(seed, expectedSteps)}) fails; KWORKER_SEED={seed} KWORKER_STEPS={expectedSteps} repeats it.\n{schedule.Failure}\n{way}");
    }

    private static int? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
