namespace Conformance.Scenarios;

/// <summary>One recorded scenario: the operations that were done in the kernel, in order, and what came of each.</summary>
internal sealed record Scenario(string Id, string Family, string? Rule, IReadOnlyList<Step> Steps);

/// <summary>One operation with its arguments and the answer that is due.</summary>
internal sealed record Step(IReadOnlyList<string> Do, Answer Due)
{
    public string Operation => Do[0];

    /// <summary>The argument at <paramref name="index"/> (0 is the operation itself).</summary>
    public string this[int index] => index < Do.Count
        ? Do[index]
        : throw new FormatException($"operation '{this}' lacks its argument {index}");

    /// <summary>The arguments from <paramref name="index"/> on.</summary>
    public IReadOnlyList<string> From(int index) => [.. Do.Skip(index)];

    public override string ToString() => string.Join(' ', Do);
}
