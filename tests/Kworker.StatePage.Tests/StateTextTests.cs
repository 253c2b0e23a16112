namespace Kworker.StatePage.Tests;

public sealed class StateTextTests
{
    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.0000034, "3.4 µs")]
    [InlineData(0.00123, "1.23 ms")]
    [InlineData(0.0456, "45.6 ms")]
    [InlineData(0.9996, "1 s")]
    [InlineData(12.34, "12.3 s")]
    [InlineData(99.4, "99.4 s")]
    [InlineData(125, "2 min 05 s")]
    [InlineData(7260, "2 h 01 min")]
    [InlineData(300000, "3.5 d")]
    public void Times_are_in_the_unit_that_suits_them(double seconds, string text) => Assert.Equal(text, StateText.Of(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("mail", "mail")]
    [InlineData("grün 郵便", "grün 郵便")]
    [InlineData("a\u202Eb\u200Bc\u0007", "a\\u{202E}b\\u{200B}c\\u{7}")]
    public void What_would_not_be_seen_is_written_out(string text, string visible) => Assert.Equal(visible, StateText.Visible(text));

    [Fact]
    public void What_is_too_long_is_cut() => Assert.Equal(513, StateText.Visible(new string('x', 100_000)).Length);

    [Fact]
    public void Rates_are_those_between_two_looks_and_the_last_minute_is_what_latencies_are_of()
    {
        var trends = new Trends();
        DateTimeOffset now = DateTimeOffset.UnixEpoch;
        (double Rate, double[] Trend) rate = (0, []);
        foreach (double count in new double[] { 100, 100, 110, 130, 130 })
        {
            trends.Begin(now += TimeSpan.FromSeconds(2));
            rate = trends.Rate("queue", count);
        }

        Assert.Equal([0, 5, 10, 0], rate.Trend);
        Assert.Equal(0, rate.Rate);
        trends.Begin(now += TimeSpan.FromSeconds(2));
        Assert.Equal(0, trends.Rate("queue", 7).Rate); // it has begun anew
        trends.Begin(now += TimeSpan.FromSeconds(2));
        trends.Begin(now + TimeSpan.FromSeconds(2)); // nobody asked for it in between
        Assert.Empty(trends.Rate("queue", 1000).Trend);
    }
}
