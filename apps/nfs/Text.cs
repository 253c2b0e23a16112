using System.Globalization;
using Kworker.Nfs;

namespace Kworker.Apps.Nfs;

/// <summary>How things are shown.</summary>
internal static class Text
{
    private static readonly string[] s_units = ["", "K", "M", "G", "T", "P", "E"];

    /// <summary>As <c>ls -l</c> shows type and mode.</summary>
    public static string Mode(NfsAttributes attributes)
    {
        char type = attributes.Type switch
        {
            NfsFileType.Directory => 'd',
            NfsFileType.SymbolicLink => 'l',
            NfsFileType.BlockDevice => 'b',
            NfsFileType.CharacterDevice => 'c',
            NfsFileType.Socket => 's',
            NfsFileType.NamedPipe => 'p',
            _ => '-',
        };
        Span<char> mode = stackalloc char[9];
        for (int i = 0; i < 9; i++)
            mode[i] = (attributes.Mode & (0b100_000_000 >> i)) != 0 ? "rwx"[i % 3] : '-';
        Special(mode, 2, attributes.Mode & 0b100_000_000_000, 's');
        Special(mode, 5, attributes.Mode & 0b010_000_000_000, 's');
        Special(mode, 8, attributes.Mode & 0b001_000_000_000, 't');
        return type + mode.ToString();
    }

    /// <summary>With a unit of 1024s, as <c>df -h</c>.</summary>
    public static string Size(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < s_units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.#}{s_units[unit]}");
    }

    public static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A name with its control characters made visible: it goes to a terminal.</summary>
    public static string Name(string name) => string.Concat(name.Select(character => char.IsControl(character) ? '?' : character));

    private static void Special(Span<char> mode, int place, int bit, char letter)
    {
        if (bit != 0)
            mode[place] = mode[place] == 'x' ? letter : char.ToUpperInvariant(letter);
    }
}
