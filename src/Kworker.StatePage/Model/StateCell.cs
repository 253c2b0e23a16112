using System.Globalization;
using System.Text.Json.Serialization;

namespace Kworker.StatePage;

/// <summary>A value as it is shown.</summary>
/// <param name="Text">As it is read.</param>
public sealed record StateCell(string Text)
{
    /// <summary>Nothing to say.</summary>
    [JsonIgnore]
    public static StateCell None { get; } = new("");

    /// <summary>By which it is sorted; null: by its text.</summary>
    public double? Value { get; init; }

    /// <summary>Its colour; the text says the same.</summary>
    public StateTone Tone { get; init; }

    /// <summary>More of it, told on demand; null for nothing.</summary>
    public string? Detail { get; init; }

    /// <summary>Its last values, the latest last; null for none.</summary>
    public IReadOnlyList<double>? Trend { get; init; }

    /// <summary>A text.</summary>
    public static implicit operator StateCell(string? text) => FromString(text);

    /// <summary>A text.</summary>
    public static StateCell FromString(string? text) => string.IsNullOrEmpty(text) ? None : new StateCell(text);

    /// <summary>A number.</summary>
    public static StateCell Number(long number) => new(number.ToString("N0", CultureInfo.InvariantCulture)) { Value = number };

    /// <summary>A time that something took, or will take; nothing for null.</summary>
    public static StateCell Time(TimeSpan? time) => time is { } known ? new StateCell(StateText.Of(known)) { Value = known.TotalSeconds } : None;

    /// <summary>So many a second.</summary>
    public static StateCell Rate(double rate, IReadOnlyList<double>? trend = null) => new(StateText.OfRate(rate)) { Value = rate, Trend = trend };

    /// <summary>How something stands.</summary>
    public static StateCell State(string text, StateTone tone) => new(text) { Tone = tone };
}

/// <summary>What a value means for the one who looks after the program.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StateTone>))]
public enum StateTone
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>At rest.</summary>
    Quiet,

    /// <summary>At work.</summary>
    Busy,

    /// <summary>It waits, or something is to be looked at some time.</summary>
    Warning,

    /// <summary>Something is to be done.</summary>
    Bad,
}
