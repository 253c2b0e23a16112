namespace Kworker.StatePage;

/// <summary>All that the page shows at one moment. Immutable.</summary>
internal sealed record StateDocument
{
    /// <summary>What it is of: the program's name.</summary>
    public required string Title { get; init; }

    /// <summary>The machine and the process.</summary>
    public required string Subtitle { get; init; }

    /// <summary>When it was taken.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What is to be seen first.</summary>
    public required IReadOnlyList<StateTile> Tiles { get; init; }

    /// <summary>The rest, in order.</summary>
    public required IReadOnlyList<StateSection> Sections { get; init; }
}

/// <summary>One figure, and how it went.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Text">Its value.</param>
internal sealed record StateTile(string Name, string Text)
{
    /// <summary>Its colour; the text says the same.</summary>
    public StateTone Tone { get; init; }

    /// <summary>Its last values, the latest last.</summary>
    public IReadOnlyList<double>? Trend { get; init; }
}
