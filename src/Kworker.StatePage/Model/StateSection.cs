namespace Kworker.StatePage;

/// <summary>
/// A part of the page: facts and tables. A program may add its own (<see cref="StatePageOptions.Sections"/>); whatever text stands in it is shown as text.
/// </summary>
/// <param name="Id">Names it in addresses: small letters and hyphens.</param>
/// <param name="Title">Its heading.</param>
public sealed record StateSection(string Id, string Title)
{
    /// <summary>What one should know about it; null for nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Single values, above the tables.</summary>
    public IReadOnlyList<StateFact> Facts { get; init; } = [];

    /// <summary>A picture, above the tables; null for none.</summary>
    public StatePicture? Picture { get; init; }

    /// <summary>Its tables.</summary>
    public IReadOnlyList<StateTable> Tables { get; init; } = [];
}

/// <summary>A single value.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">How it stands.</param>
public sealed record StateFact(string Name, StateCell Value)
{
    /// <summary>What is over of something that ends, from 0 to 1: drawn as a bar. Null for none.</summary>
    public double? Progress { get; init; }
}

/// <summary>How many there are of each of some steps.</summary>
/// <param name="Caption">What it shows, in a sentence.</param>
/// <param name="Bars">The steps, in order.</param>
public sealed record StatePicture(string Caption, IReadOnlyList<StateBar> Bars);

/// <summary>A step of a picture.</summary>
/// <param name="Label">Names it.</param>
/// <param name="Count">How many there are.</param>
public sealed record StateBar(string Label, long Count);
