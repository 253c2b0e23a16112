using System.Collections.Immutable;

namespace Kworker.SunRpc.Generators;

/// <summary>What the generator made of one type; equal if its text and problems are.</summary>
internal sealed class XdrOutput(string hintName, string source, ImmutableArray<XdrProblem> problems) : IEquatable<XdrOutput>
{
    public string HintName { get; } = hintName;

    public string Source { get; } = source;

    public ImmutableArray<XdrProblem> Problems { get; } = problems;

    public bool Equals(XdrOutput? other) =>
        other is not null && HintName == other.HintName && Source == other.Source && Problems.SequenceEqual(other.Problems);

    public override bool Equals(object? obj) => Equals(obj as XdrOutput);

    public override int GetHashCode() => Source.GetHashCode();
}
