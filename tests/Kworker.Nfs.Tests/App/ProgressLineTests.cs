using Kworker.Apps.Nfs;

namespace Kworker.Nfs.Tests;

/// <summary>The line on a terminal that says how far a copy has come.</summary>
public sealed class ProgressLineTests
{
    [Theory]
    [InlineData(0, 0, "   0%        0")]
    [InlineData(1024, 15, "  50%       1K")]
    [InlineData(2048, 30, " 100%       2K")]
    [InlineData(4096, 30, " 100%       4K")] // it grew meanwhile
    public void It_shows_the_share_that_is_done(long done, int filled, string due)
    {
        using var terminal = new StringWriter();
        new ProgressLine(terminal, "file", 2048, isShown: true).Add(done);
        Assert.Matches($@"^\rfile {{25}}\[#{{{filled}}}\.{{{30 - filled}}}\]{due} +[0-9.]+[KMGTPE]?/s$", terminal.ToString());
    }

    [Fact]
    public void Its_end_shows_all_that_was_done_and_ends_the_line()
    {
        using var terminal = new StringWriter();
        var progress = new ProgressLine(terminal, "file", 100, isShown: true);
        progress.Add(50);
        progress.Add(50); // too soon to be shown, unless the machine is slow
        progress.End();
        Assert.EndsWith(terminal.NewLine, terminal.ToString(), StringComparison.Ordinal);
        string[] shown = terminal.ToString().TrimEnd().Split('\r');
        Assert.Contains("]  50% ", shown[1], StringComparison.Ordinal);
        Assert.Contains($"[{new string('#', 30)}] 100%      100 ", shown[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_done_at_once()
    {
        using var terminal = new StringWriter();
        new ProgressLine(terminal, "empty", 0, isShown: true).End();
        Assert.Contains($"[{new string('#', 30)}] 100%        0 ", terminal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_name_is_cut_in_front_and_what_would_control_the_terminal_is_not_sent_to_it()
    {
        using var terminal = new StringWriter();
        new ProgressLine(terminal, "what-is-in-front_0123456789 0123456789\e.txt", 1, isShown: true).Add(0);
        Assert.StartsWith("\r…_0123456789 0123456789?.txt [", terminal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_there_is_no_terminal_it_says_nothing()
    {
        using var terminal = new StringWriter();
        var progress = new ProgressLine(terminal, "file", 100, isShown: false);
        progress.Add(100);
        progress.End();
        Assert.Empty(terminal.ToString());
    }
}
