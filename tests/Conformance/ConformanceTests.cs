using Conformance.Replay;
using Conformance.Scenarios;

namespace Conformance;

/// <summary>
/// Ours answer as the kernel did. A named vector is a test of its own, a file of random ones is one test that lists every scenario that fails.
/// </summary>
public sealed class ConformanceTests
{
    private const string WholeFile = "(all)";

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

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Rows))]
    public void Ours_answers_as_the_kernel(string file, string scenario, Waiters waiters)
    {
        var vectors = VectorFile.All().Single(candidate => candidate.Name == file).Scenarios;
        var failures = vectors
            .Where(candidate => scenario == WholeFile || candidate.Id == scenario)
            .Select(candidate => Replayer.Replay(candidate, waiters))
            .OfType<string>()
            .ToList();
        Assert.True(failures.Count == 0, $"{failures.Count} of the scenarios fail:\n{string.Join('\n', failures)}");
    }
}
