namespace Kworker.Bench.Scenarios;

/// <summary>
/// A measurement that BenchmarkDotNet does not fit: several peers side by side in one run. A class beside this one that implements it is found by its name
/// (<c>scenario list</c>); it needs a constructor without parameters.
/// </summary>
internal interface IScenario
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    /// <summary>One line: what is measured, and which options there are.</summary>
    string Summary { get; }

    /// <summary>Measures, and writes markdown to the console.</summary>
    void Run(ScenarioOptions options);
}
