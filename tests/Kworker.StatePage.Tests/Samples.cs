namespace Kworker.StatePage.Tests;

/// <summary>Sections for tests to show.</summary>
internal static class Samples
{
    /// <summary>What a client may call itself.</summary>
    public const string Hostile = "<img src=x onerror=\"window.stolen=1\">\"'><script>stolen=1</script>&lt;</td></table>\u202Etxt.exe\u0000\r\n</title><base href=//evil.example>";

    public static StateSection EveryTone { get; } = new("tones", "Tones")
    {
        Note = "All that a cell may be.",
        Facts = [new("Ends in", "1 min 30 s") { Progress = 0.4 }, new("Mode", StateCell.State("in grace", StateTone.Warning))],
        Tables =
        [
            new("tones-all", "Tones", [new("Tone"), new("State"), new("Rate", true)],
                [.. Enum.GetValues<StateTone>().Select(static tone => new StateRow($"{tone}", [$"{tone}", StateCell.State($"{tone}", tone), StateCell.Rate(12.5, [1, 5, 3, 12.5])]))]),
        ],
    };
}
