using System.Runtime.CompilerServices;

namespace Kworker.Tests;

/// <summary>docs/tracing.md.</summary>
internal static class Chapter
{
    internal static string Text => Read();

    /// <summary>The section whose heading begins so.</summary>
    internal static string Section(string heading) =>
        Text.ReplaceLineEndings("\n").Split("\n## ").Single(section => section.StartsWith(heading, StringComparison.Ordinal));

    private static string Read([CallerFilePath] string source = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "docs", "tracing.md"));
}
