using Conformance.Replay;
using Conformance.Scenarios;

namespace Conformance;

/// <summary>
/// Ours answer as the kernel did. A named vector is a test of its own, a file of random ones is one test that lists every scenario that fails.
/// </summary>
public sealed class ConformanceTests
{
    private const string WholeFile = "(all)";

    /// <summary>Here nobody's place in a line depends on who runs first.</summary>
    private static readonly string[] s_familiesOfAnySchedule = ["kthread", "kthread_worker", "workqueue"];

    public static TheoryData<string, string, Waiters> Rows()
    {
        var rows = new TheoryData<string, string, Waiters>();
        foreach (var file in VectorFile.All())
        {
            foreach (var waiters in Enum.GetValues<Waiters>())
            {
                if (!file.IsNamed)
                {
                    rows.Add(file.Name, WholeFile, waiters);
                    continue;
                }

                foreach (var scenario in file.Scenarios)
                    rows.Add(file.Name, scenario.Id, waiters);
            }
        }

        return rows;
    }

    [Fact]
    public void There_are_vectors_to_replay() => Assert.True(
        VectorFile.All().Count > 0,
        $"There is no *.jsonl file in {VectorFile.Directory}. {VectorFile.DirectoryVariable} names the directory, if set.");

    [Theory]
    [MemberData(nameof(Rows))]
    public void Ours_answers_as_the_kernel(string file, string scenario, Waiters waiters) => Replay(
        VectorFile.All().Single(candidate => candidate.Name == file).Scenarios
            .Where(candidate => scenario == WholeFile || candidate.Id == scenario),
        candidate => Replayer.Replay(candidate, waiters));

    [Theory]
    [InlineData(Waiters.Threads)]
    [InlineData(Waiters.Async)]
    public void Ours_answers_the_same_when_all_run_at_once(Waiters waiters) => Replay(
        VectorFile.All().SelectMany(file => file.Scenarios).Where(candidate => s_familiesOfAnySchedule.Contains(candidate.Family)),
        candidate => Replayer.Replay(candidate, waiters, Schedule.AtOnce));

    private static void Replay(IEnumerable<Scenario> scenarios, Func<Scenario, string?> replay)
    {
        var failures = scenarios.Select(replay).OfType<string>().ToList();
        Assert.True(failures.Count == 0, $"{failures.Count} of the scenarios fail:\n{string.Join('\n', failures)}");
    }
}
