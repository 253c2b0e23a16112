using Conformance.Replay;
using Conformance.Scenarios;

namespace Conformance;

/// <summary>The replayer itself: it must tell a wrong answer from a right one, and say which it was.</summary>
public sealed class ReplayerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kworker-vectors-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Waiters.Threads)]
    [InlineData(Waiters.Async)]
    public void A_wrong_answer_is_named_with_its_scenario_step_and_operation(Waiters waiters)
    {
        var scenario = Read("""
            {"id":"completion/wrong","family":"completion","kernel":"none","steps":[
            {"do":["wait","A","c0","u"]},
            {"do":["wait","B","c0","u"]},
            {"do":["complete_all","c0"],"returned":[["B",0],["A",0]]}]}
            """);

        var failure = Replayer.Replay(scenario, waiters);

        Assert.Equal(
            $"""
            completion/wrong ({waiters}), step 2: complete_all c0
                given: returned [["A",0],["B",0]]
                due:   returned [["B",0],["A",0]]
            """, failure);
    }

    [Fact]
    public void An_answer_that_is_missing_is_a_failure()
    {
        var scenario = Read("""
            {"id":"completion/missing","family":"completion","kernel":"none","steps":[{"do":["wait","A","c0","u"],"returned":[["A",0]]}]}
            """);

        Assert.Contains("given: nothing", Replayer.Replay(scenario, Waiters.Threads), StringComparison.Ordinal);
    }

    [Fact]
    public void An_operation_that_nobody_knows_is_a_failure()
    {
        var scenario = Read("""{"id":"completion/odd","family":"completion","kernel":"none","steps":[{"do":["dance","c0"]}]}""");

        Assert.Contains("there is no operation 'dance'", Replayer.Replay(scenario, Waiters.Threads), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_is_no_scenario_is_named()
    {
        File.WriteAllText(Path.Combine(_directory, "odd.jsonl"), "{\"id\":\"x\"}\n");

        var error = Assert.Throws<FormatException>(() => new VectorFile(Path.Combine(_directory, "odd.jsonl")).Scenarios);

        Assert.Contains("odd.jsonl, line 1", error.Message, StringComparison.Ordinal);
    }

    private Scenario Read(string line)
    {
        var path = Path.Combine(_directory, "one.jsonl");
        File.WriteAllText(path, line.ReplaceLineEndings("") + "\n");
        return Assert.Single(new VectorFile(path).Scenarios);
    }
}
