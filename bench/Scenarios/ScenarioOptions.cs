using System.Globalization;

namespace Kworker.Bench.Scenarios;

/// <summary>The <c>key=value</c> arguments behind a scenario's name. One that nobody asked for is an error: it would be a slip of the pen.</summary>
internal sealed class ScenarioOptions
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    internal ScenarioOptions(IEnumerable<string> arguments)
    {
        foreach (string argument in arguments)
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ArgumentException($"{argument}: options are written key=value.");
            _values[argument[..equals]] = argument[(equals + 1)..];
        }
    }

    internal string Text(string key, string otherwise)
    {
        _asked.Add(key);
        return _values.GetValueOrDefault(key, otherwise);
    }

    internal int Number(string key, int otherwise) => int.Parse(Text(key, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

    /// <summary>Numbers with commas between them.</summary>
    internal int[] Numbers(string key, string otherwise) =>
        [.. Text(key, otherwise).Split(',').Select(static number => int.Parse(number, CultureInfo.InvariantCulture))];

    internal void ThrowIfAnyUnknown()
    {
        string[] unknown = [.. _values.Keys.Where(key => !_asked.Contains(key))];
        if (unknown.Length > 0)
            throw new ArgumentException($"Nobody knows the option {string.Join(", ", unknown)}; known: {string.Join(", ", _asked)}.");
    }
}
