using Kworker.Apps.Nfs;

namespace Kworker.Nfs.Tests;

/// <summary>The nfs command with our server; with servers of others in Interop.</summary>
public sealed class NfsCommandTests
{
    [Fact]
    public async Task It_copies_lists_and_removes()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        string here = Directory.CreateTempSubdirectory("kworker-nfs-").FullName;
        try
        {
            string file = Path.Combine(here, "file");
            await File.WriteAllTextAsync(file, "hello");
            File.SetUnixFileMode(file, (UnixFileMode)0b110_100_000);
            await SucceedsAsync("cp", file, $"{served.Url}/copy");
            await SucceedsAsync("cp", file, served.Url); // into a directory, by its own name
            // One of the sources is not there: that is said, and the rest is copied.
            var partly = await Assert.ThrowsAsync<CommandFailedException>(() => SucceedsAsync("cp", $"{served.Url}/again", $"{served.Url}/copy", here));
            Assert.Equal(1, partly.Status);
            Assert.EndsWith("/again: no such file or directory\n", partly.Error, StringComparison.Ordinal);
            Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(here, "copy")));
        }
        finally
        {
            Directory.Delete(here, recursive: true);
        }
        Assert.Equal("copy\nfile\n", await SucceedsAsync("ls", served.Url));
        Assert.StartsWith("-rw-r-----   1", await SucceedsAsync("ls", "-l", $"{served.Url}/file"), StringComparison.Ordinal);
        Assert.Contains("size: 5", await SucceedsAsync("stat", $"{served.Url}/file"), StringComparison.Ordinal);
        Assert.Contains(served.Path, await SucceedsAsync("df", served.Url), StringComparison.Ordinal);
        await SucceedsAsync("rm", $"{served.Url}/file", $"{served.Url}/copy");
        Assert.Empty(Directory.GetFiles(served.Path));
    }

    [Theory]
    [InlineData(2, "nfs: There is no command frobnicate. See nfs --help.\n", "frobnicate")]
    [InlineData(2, "nfs: here: not of the form nfs://host[:port]/path. See nfs --help.\n", "ls", "here")]
    [InlineData(2, "nfs: cp needs a URL: as a source, or as the target. See nfs --help.\n", "cp", "a", "b")]
    [InlineData(2, "nfs: --timeout is a number of seconds from 0.1 to 3600. See nfs --help.\n", "--timeout", "0", "ls", "nfs://127.0.0.1/x")]
    [InlineData(1, "nfs: mount nfs://127.0.0.1:1/x: Connection refused\n", "ls", "nfs://127.0.0.1:1/x")]
    public async Task What_cannot_be_done_is_said_in_one_line(int status, string error, params string[] arguments)
    {
        var exception = await Assert.ThrowsAsync<CommandFailedException>(() => SucceedsAsync(arguments));
        Assert.Equal((status, error), (exception.Status, exception.Error));
    }

    [Theory]
    [InlineData("all", 0, 0)]
    [InlineData("5-", 5, 0)]
    [InlineData("5-5", 5, 1)]
    [InlineData("0-99", 0, 100)]
    [InlineData("10+20", 10, 20)]
    public void Ranges(string text, long start, long length) => Assert.Equal(new LockedRange(start, length), LockedRange.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-5")]
    [InlineData("5-4")]
    [InlineData("5+0")]
    [InlineData("5+")]
    [InlineData("1-9223372036854775808")]
    [InlineData("9223372036854775807+2")]
    public void What_is_no_range_is_refused(string text) => Assert.Throws<FormatException>(() => LockedRange.Parse(text));

    private static async Task<string> SucceedsAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int status = await Program.RunAsync(arguments, output, error);
        return status == 0 ? output.ToString() : throw new CommandFailedException(status, error.ToString());
    }

    private sealed class CommandFailedException(int status, string error) : Exception($"{status}: {error}")
    {
        public int Status { get; } = status;

        public string Error { get; } = error;
    }
}
