using System.Text.Json;

namespace Conformance.Scenarios;

/// <summary>A file of scenarios, one a line.</summary>
internal sealed class VectorFile(string path)
{
    /// <summary>Names a directory whose files are replayed instead of the repository's own.</summary>
    public const string DirectoryVariable = "KWORKER_VECTORS";

    private List<Scenario>? _scenarios;

    public string Path { get; } = path;
    public string Name { get; } = System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>Named vectors state one rule each: each is a test of its own.</summary>
    public bool IsNamed => Name.EndsWith("-named", StringComparison.Ordinal);

    public IReadOnlyList<Scenario> Scenarios => _scenarios ??= Read();

    /// <summary>The directory that is replayed: the one named in the environment, else the recorded answers beside the tests.</summary>
    public static string Directory =>
        Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } other
            // The runner starts us in a directory of its choice; what the user wrote starts at the shell's.
            ? System.IO.Path.GetFullPath(other, Environment.GetEnvironmentVariable("PWD") ?? Environment.CurrentDirectory)
            : System.IO.Path.Combine(AppContext.BaseDirectory, "vectors");

    public static IReadOnlyList<VectorFile> All() => System.IO.Directory.Exists(Directory)
        ? [.. System.IO.Directory.EnumerateFiles(Directory, "*.jsonl").Order(StringComparer.Ordinal).Select(path => new VectorFile(path))]
        : [];

    private List<Scenario> Read()
    {
        var scenarios = new List<Scenario>();
        var number = 0;
        foreach (var line in File.ReadLines(Path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            try
            {
                scenarios.Add(Parse(line));
            }
            catch (Exception malformed) when (malformed is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
            {
                throw new FormatException($"{Path}, line {number}: {malformed.Message}", malformed);
            }
        }

        return scenarios;
    }

    private static Scenario Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new Scenario(
            root.GetProperty("id").GetString()!,
            root.GetProperty("family").GetString()!,
            root.TryGetProperty("rule", out var rule) ? rule.GetString() : null,
            [.. root.GetProperty("steps").EnumerateArray().Select(step => new Step(
                [.. step.GetProperty("do").EnumerateArray().Select(word => word.GetString()!)],
                Answer.Read(step)))]);
    }
}
