namespace Kworker.Lockd.Nlm;

/// <summary>Names that strangers chose, fit for a log.</summary>
internal static class LogText
{
    private const int MaximumLength = 64;

    /// <summary>The printable ASCII of a name, cut at a length that a line can hold.</summary>
    public static string Show(string name) =>
        string.Concat(name.Take(MaximumLength).Select(character => character is > ' ' and < '\x7f' ? character : '?'));
}
