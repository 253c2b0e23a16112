using System.Globalization;
using System.Text;

namespace Kworker.StatePage;

/// <summary>How values are written: short, the same everywhere.</summary>
internal static class StateText
{
    private const int MostCharacters = 512;

    /// <summary>A time in the unit that suits it.</summary>
    public static string Of(TimeSpan time)
    {
        double seconds = time.TotalSeconds;
        return Math.Abs(seconds) switch
        {
            0 => "0 s",
            < 0.000_9995 => Write(seconds * 1_000_000, "µs"),
            < 0.9995 => Write(seconds * 1000, "ms"),
            < 99.5 => Write(seconds, "s"),
            < 90 * 60 => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds:00} s"),
            < 48 * 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} d"),
        };
    }

    /// <summary>So many a second.</summary>
    public static string OfRate(double rate) => rate switch
    {
        < 0.05 => "0/s",
        < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{rate:0.0}/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{rate:N0}/s"),
    };

    /// <summary>
    /// A text that nobody vouches for: what would not be seen (control and formatting characters, among them those that turn the direction of text) is written out, and what is too
    /// long is cut.
    /// </summary>
    public static string Visible(string text)
    {
        bool isPlain = text.Length <= MostCharacters;
        foreach (char c in text)
            isPlain &= c is >= ' ' and < '\x7f';
        if (isPlain)
            return text;
        var visible = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (visible.Length >= MostCharacters)
                return visible.Append('…').ToString();
            bool isSeen = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate);
            if (isSeen)
                visible.Append(rune.ToString());
            else
                visible.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
        }

        return visible.ToString();
    }

    // Three digits that mean something.
    private static string Write(double value, string unit)
    {
        string format = Math.Abs(value) switch { < 9.995 => "0.##", < 99.95 => "0.#", _ => "0" };
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {unit}";
    }
}
