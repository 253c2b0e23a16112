using System.Diagnostics;
using System.Globalization;

namespace Kworker.Apps.Nfs;

/// <summary>One line on a terminal that says how far a copy has come; nothing where there is no terminal.</summary>
internal sealed class ProgressLine(TextWriter terminal, string name, long total, bool isShown)
{
    private const int BarWidth = 30;
    private const int NameWidth = 28;
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _shownAt;
    private long _done;

    public void Add(long bytes)
    {
        _done += bytes;
        if (!isShown || (_shownAt != 0 && Stopwatch.GetElapsedTime(_shownAt) < s_interval))
            return;
        _shownAt = Stopwatch.GetTimestamp();
        Show();
    }

    public void End()
    {
        if (!isShown)
            return;
        Show();
        terminal.WriteLine();
    }

    private void Show()
    {
        double share = total > 0 ? Math.Min(1, (double)_done / total) : 1;
        int filled = (int)(share * BarWidth);
        double seconds = Math.Max(0.001, Stopwatch.GetElapsedTime(_startedAt).TotalSeconds);
        string shown = name.Length > NameWidth ? "…" + name[^(NameWidth - 1)..] : name;
        terminal.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"\r{Text.Name(shown),-NameWidth} [{new string('#', filled)}{new string('.', BarWidth - filled)}] {share * 100,3:0}% {Text.Size(_done),8} {Text.Size(_done / seconds),8}/s"));
        terminal.Flush();
    }
}
