using Kworker.Samples;

namespace Kworker.Nfs.Tests;

/// <summary>What the guide shows runs, and is what the guide shows.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task The_sample_does_what_it_says()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        Assert.Equal(
            "today 5\nLOOKUP notes/yesterday: no such file or directory\n", await NfsClientSample.RunAsync(served.Url));
    }

    [Fact]
    public async Task The_guide_shows_the_sample()
    {
        string sample = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "samples", "NfsClientSample.cs"));
        string guide = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "samples", "nfs.md"));
        int start = sample.IndexOf("        await using NfsClient", StringComparison.Ordinal);
        string shown = sample[start..sample.IndexOf("        return names", StringComparison.Ordinal)];
        Assert.Contains(shown.Replace("\n        ", "\n", StringComparison.Ordinal).Trim(), guide, StringComparison.Ordinal);
    }
}
