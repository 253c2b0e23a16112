using System.Globalization;

namespace Kworker.Apps.Nfs;

/// <summary>The bytes that are to be locked, as the command line has them.</summary>
/// <param name="Start">The first.</param>
/// <param name="Length">How many; 0: to the end of the file, wherever that will be.</param>
internal readonly record struct LockedRange(long Start, long Length)
{
    /// <summary>Reads <c>all</c>, <c>FIRST-LAST</c>, <c>FIRST-</c> or <c>FIRST+LENGTH</c>.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static LockedRange Parse(string text)
    {
        if (text == "all")
            return default;
        int sign = text.IndexOfAny(['-', '+']);
        if (sign > 0 && TryParse(text[..sign], out long start))
        {
            string rest = text[(sign + 1)..];
            if (rest.Length == 0 && text[sign] == '-')
                return new LockedRange(start, 0);
            if (TryParse(rest, out long number))
            {
                if (text[sign] == '+' && number > 0 && number - 1 <= long.MaxValue - start)
                    return new LockedRange(start, number);
                if (text[sign] == '-' && number >= start && number - start < long.MaxValue)
                    return new LockedRange(start, number - start + 1);
            }
        }
        throw new FormatException($"{text} is no range: it is all, FIRST-LAST, FIRST- (to the end) or FIRST+LENGTH, in bytes");
    }

    public override string ToString() => Length == 0 ? $"from byte {Start}" : $"bytes {Start} to {Start + Length - 1}";

    private static bool TryParse(string digits, out long number) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
