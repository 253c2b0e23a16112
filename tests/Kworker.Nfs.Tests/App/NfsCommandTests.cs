using System.Security.Cryptography;
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
    [InlineData(null)]
    [InlineData("4096")]
    public async Task It_copies_from_one_server_to_another(string? transferSize)
    {
        await using ServedDirectory from = await ServedDirectory.StartAsync();
        await using ServedDirectory to = await ServedDirectory.StartAsync();
        Directory.CreateDirectory(from.Local("tree/inner"));
        byte[] bytes = RandomNumberGenerator.GetBytes(123_456);
        await File.WriteAllBytesAsync(from.Local("tree/inner/large"), bytes);
        await File.WriteAllBytesAsync(from.Local("tree/empty"), []);
        File.CreateSymbolicLink(from.Local("tree/link"), "inner/large");
        string[] sizes = transferSize is null ? [] : ["--rsize", transferSize, "--wsize", transferSize];
        await SucceedsAsync([.. sizes, "cp", "-r", $"{from.Url}/tree", to.Url]);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(to.Local("tree/inner/large")));
        Assert.Empty(await File.ReadAllBytesAsync(to.Local("tree/empty")));
        Assert.Equal("inner/large", new FileInfo(to.Local("tree/link")).LinkTarget);
    }

    [Fact]
    public async Task A_file_is_not_copied_onto_itself_by_whatever_name()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await File.WriteAllTextAsync(served.Local("file"), "hello");
        File.CreateSymbolicLink(served.Local("link"), "file");
        foreach (string target in (string[])["/file", "/link", ""])
        {
            var refused = await Assert.ThrowsAsync<CommandFailedException>(() => SucceedsAsync("cp", $"{served.Url}/file", served.Url + target));
            Assert.Equal(1, refused.Status);
            Assert.EndsWith(" are the same file\n", refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal("hello", await File.ReadAllTextAsync(served.Local("file")));
    }

    [Theory]
    [InlineData("/tree/below")]
    [InlineData("/tree")] // is there: into it
    public async Task A_directory_is_copied_into_itself_once(string target)
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        Directory.CreateDirectory(served.Local("tree/inner"));
        await File.WriteAllTextAsync(served.Local("tree/file"), "hello");
        var refused = await Assert.ThrowsAsync<CommandFailedException>(() => SucceedsAsync("cp", "-r", $"{served.Url}/tree", served.Url + target));
        Assert.EndsWith("it is being copied into, and is not copied into itself\n", refused.Error, StringComparison.Ordinal);
        string copy = served.Local(target == "/tree" ? "tree/tree" : "tree/below");
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(copy, "file")));
        Assert.Equal([Path.Combine(copy, "file"), Path.Combine(copy, "inner")], Directory.EnumerateFileSystemEntries(copy, "*", SearchOption.AllDirectories).Order());
    }

    [Fact]
    public async Task Names_that_begin_with_a_dot_are_listed_when_asked_for()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await File.WriteAllTextAsync(served.Local(".hidden"), "");
        await File.WriteAllTextAsync(served.Local("shown"), "");
        Assert.Equal("shown\n", await SucceedsAsync("ls", served.Url));
        Assert.Equal(".hidden\nshown\n", await SucceedsAsync("ls", "-a", served.Url));
    }

    [Fact]
    public async Task The_server_is_told_the_user_and_the_group_that_are_named()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "not run: only root's server takes on other users");
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        File.SetUnixFileMode(served.Path, (UnixFileMode)0b111_111_111);
        await File.WriteAllTextAsync(served.Local("secret"), "hello");
        File.SetUnixFileMode(served.Local("secret"), (UnixFileMode)0b110_000_000);
        await SucceedsAsync("cp", $"{served.Url}/secret", $"{served.Url}/roots");
        await SucceedsAsync("--uid", "1234", "--gid", "2345", "cp", served.Local("secret"), $"{served.Url}/theirs");
        Assert.Contains(" 1234  2345 ", await SucceedsAsync("ls", "-l", $"{served.Url}/theirs"), StringComparison.Ordinal);
        Assert.Contains("    0     0 ", await SucceedsAsync("ls", "-l", $"{served.Url}/roots"), StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<CommandFailedException>(() => SucceedsAsync("--uid", "1234", "--gid", "2345", "cat", $"{served.Url}/secret"));
        Assert.Equal(1, refused.Status);
        Assert.Contains("ermission denied", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sizes_that_are_named_are_those_of_calls()
    {
        var line = new CommandLine(TextWriter.Null, TextWriter.Null);
        NfsClientOptions options = line.Read(line.Root.Parse("--rsize 4096 --wsize 8192 ls nfs://127.0.0.1/x"));
        Assert.Equal((4096, 8192), (options.ReadSize, options.WriteSize));
        options = line.Read(line.Root.Parse("ls nfs://127.0.0.1/x"));
        Assert.Equal((0, 0), (options.ReadSize, options.WriteSize));
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
