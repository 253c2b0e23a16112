using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace Kworker.Apps.Nfsd;

/// <summary>
/// A file of options, in the form of nfs.conf(5): <c>[nfsd]</c>, then <c>port = 2049</c> and so on, named as on the command line without the dashes. An
/// option that may come several times has its values apart by blanks; one without a value is <c>true</c> or <c>false</c>.
/// </summary>
internal static class ConfigurationFile
{
    private const string Section = "nfsd";

    /// <summary>The file's options as words of a command line, but for those that <paramref name="given"/> has already: the command line wins.</summary>
    /// <exception cref="StartupException">It cannot be read, or has what is no option, or no value for one; the message names file and word.</exception>
    public static IReadOnlyList<string> Read(string path, RootCommand root, ParseResult? given)
    {
        var words = new List<string>();
        var all = new List<string>();
        foreach ((string name, string value) in ReadPairs(path))
        {
            Option option = root.Options.FirstOrDefault(option => option.Name == $"--{name}" && option.Name != CommandLine.ConfigurationOption)
                ?? throw new StartupException($"{path}: there is no option '{name}'. See nfsd --help.", Program.UsageError);
            string[] found = WordsOf(path, option, value);
            all.AddRange(found);
            if (given?.GetResult(option) is null or { Implicit: true })
                words.AddRange(found);
        }
        ParseResult parsed = root.Parse(all);
        return parsed.Errors.Count == 0 ? words : throw new StartupException($"{path}: {parsed.Errors[0].Message} See nfsd --help.", Program.UsageError);
    }

    private static List<(string Name, string Value)> ReadPairs(string path)
    {
        try
        {
            CheckLines(path);
            IConfigurationRoot file = new ConfigurationBuilder().AddIniStream(new MemoryStream(File.ReadAllBytes(path))).Build();
            string? other = file.GetChildren().FirstOrDefault(child => child.Key != Section)?.Key;
            return other is null
                ? [.. file.GetSection(Section).GetChildren().Select(child => (child.Key, child.Value ?? ""))]
                : throw new StartupException($"{path}: '{other}' is not in a section [{Section}], the only one there is.", Program.UsageError);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"--config: {exception.Message} Name a file that nfsd may read: [nfsd], then lines as 'port = 2049'.", innerException: exception);
        }
        catch (FormatException exception)
        {
            throw new StartupException($"{path}: {exception.Message}", Program.UsageError, exception);
        }
    }

    // The reader of INI files would name a line that it does not know by its text alone.
    private static void CheckLines(string path)
    {
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            string text = line.Trim();
            bool isKnown = text.Length == 0 || text[0] is ';' or '#' or '/' || (text[0] == '[' && text[^1] == ']') || text.IndexOf('=') > 0;
            if (!isKnown)
                throw new StartupException($"{path}: line {number}: '{text}' is no option: lines are as 'port = 2049'. See nfsd --help.", Program.UsageError);
        }
    }

    private static string[] WordsOf(string path, Option option, string value)
    {
        if (option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool))
        {
            return value switch
            {
                "true" => [option.Name],
                "false" => [],
                _ => throw new StartupException($"{path}: {option.Name[2..]} is true or false, not '{value}'.", Program.UsageError),
            };
        }
        if (option.Arity.MaximumNumberOfValues == 1)
            return [option.Name, value];
        return [.. value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).SelectMany(word => (string[])[option.Name, word])];
    }
}
