namespace Kworker.StatePage;

/// <summary>Timers by when they come due: how many in each step of a scale on which a step is three times as long as the one before.</summary>
internal static class TimerPicture
{
    private static readonly (TimeSpan Below, string Label)[] s_steps =
    [
        (TimeSpan.FromMilliseconds(10), "10 ms"), (TimeSpan.FromMilliseconds(30), "30 ms"), (TimeSpan.FromMilliseconds(100), "100 ms"), (TimeSpan.FromMilliseconds(300), "300 ms"),
        (TimeSpan.FromSeconds(1), "1 s"), (TimeSpan.FromSeconds(3), "3 s"), (TimeSpan.FromSeconds(10), "10 s"), (TimeSpan.FromSeconds(30), "30 s"),
        (TimeSpan.FromMinutes(1.5), "90 s"), (TimeSpan.FromMinutes(5), "5 min"), (TimeSpan.FromMinutes(15), "15 min"), (TimeSpan.FromHours(1), "1 h"),
        (TimeSpan.FromHours(4), "4 h"), (TimeSpan.FromDays(1), "1 d"), (TimeSpan.MaxValue, "later"),
    ];

    public static StatePicture? Of(IReadOnlyCollection<TimeSpan> due)
    {
        if (due.Count == 0)
            return null;
        var counts = new long[s_steps.Length];
        foreach (TimeSpan time in due)
            counts[Array.FindIndex(s_steps, step => time < step.Below)]++;
        string caption = $"{due.Count:N0} timers by when they come due; the next in {StateText.Of(due.Min())}, the last in {StateText.Of(due.Max())}.";
        return new StatePicture(caption, [.. s_steps.Select((step, index) => new StateBar(step.Label, counts[index]))]);
    }
}
