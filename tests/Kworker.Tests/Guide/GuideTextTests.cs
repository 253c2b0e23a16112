using System.Text.RegularExpressions;

namespace Kworker.Tests.Guide;

/// <summary>
/// The code in docs/guide.md and docs/tracing.md is the code that is compiled and run: a fence behind <c>&lt;!-- NAME --&gt;</c> has the text between "guide: NAME" and
/// "guide end" of a file of these tests, without its indentation.
/// </summary>
public sealed partial class GuideTextTests
{
    private static readonly string[] s_chapters = ["guide.md", "tracing.md"];

    [Fact]
    public void Each_piece_of_code_in_the_guide_is_one_that_is_run()
    {
        Dictionary<string, string> snippets = Snippets();
        string guide = string.Concat(s_chapters.Select(static chapter => File.ReadAllText(Path.Combine(Root(), "docs", chapter))));
        var named = Fence().Matches(guide).ToDictionary(static match => match.Groups["name"].Value, static match => match.Groups["code"].Value);
        Assert.Equal(snippets.Keys.Order(), named.Keys.Order());
        foreach ((string name, string code) in named)
            Assert.Equal($"{name}:\n{snippets[name]}", $"{name}:\n{code}");

        // And no code is there without a name.
        Assert.Equal(named.Count, guide.Split("```csharp").Length - 1);
    }

    private static Dictionary<string, string> Snippets()
    {
        var snippets = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Root(), "tests", "Kworker.Tests"), "*.cs", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file) == "GuideTextTests.cs")
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
