using System.Text.RegularExpressions;

namespace Kworker.Tests.Guide;

/// <summary>
/// That the code in documents is the code that is compiled and run: a fence behind <c>&lt;!-- NAME --&gt;</c> has the text between "guide: NAME" and
/// "guide end" of a file of the tests, without its indentation.
/// </summary>
internal static partial class GuideText
{
    internal static void Check(string tests, params string[] documents)
    {
        Dictionary<string, string> snippets = Snippets(tests);
        string guide = string.Concat(documents.Select(static document => File.ReadAllText(Path.Combine(Root(), "docs", document))));
        var named = Fence().Matches(guide).ToDictionary(static match => match.Groups["name"].Value, static match => match.Groups["code"].Value);
        Assert.Equal(snippets.Keys.Order(), named.Keys.Order());
        foreach ((string name, string code) in named)
            Assert.Equal($"{name}:\n{snippets[name]}", $"{name}:\n{code}");

        // And no code is there without a name.
        Assert.Equal(named.Count, guide.Split("```csharp").Length - 1);
    }

    private static Dictionary<string, string> Snippets(string tests)
    {
        var snippets = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Root(), "tests", tests), "*.cs", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file) == "GuideText.cs")
                continue;
            foreach (Match match in Marked().Matches(File.ReadAllText(file)))
            {
                int indentation = match.Groups["indentation"].Length;
                IEnumerable<string> lines = match.Groups["code"].Value.Split('\n')[..^1].Select(line => line.Length == 0 ? line : line[indentation..]);
                snippets.Add(match.Groups["name"].Value, string.Concat(lines.Select(static line => line + "\n")));
            }
        }
        return snippets;
    }

    [GeneratedRegex(@"^(?<indentation> *)// guide: (?<name>\S+)\n(?<code>.*?)^ *// guide end\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Marked();

    [GeneratedRegex(@"^<!-- (?<name>\S+) -->\n```csharp\n(?<code>.*?)^```\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    /// <summary>Where the solution is: above the directory that the tests run from.</summary>
    private static string Root()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Kworker.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("These tests run from within the tree.");
    }
}
