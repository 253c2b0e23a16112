using Kworker.Apps.Nfsd;
using Kworker.Nfsd.Tests.V3;

namespace Kworker.Nfsd.Tests.App;

/// <summary>nfsd's options in a file.</summary>
public sealed class ConfigurationFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string PathOf(string name) => Path.Combine(_directory.Path, name);

    private async Task<(int Exit, string Output, string Error)> RunAsync(string configuration, params string[] arguments)
    {
        File.WriteAllText(PathOf("nfsd.conf"), configuration.Replace("DIR", _directory.Path, StringComparison.Ordinal));
        using var termination = new Termination();
        termination.Request();
        var output = new StringWriter();
        var error = new StringWriter();
        int exit = await Program.RunAsync(["--config", PathOf("nfsd.conf"), .. arguments], output, error, termination);
        return (exit, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task It_says_all_that_the_command_line_can()
    {
        Directory.CreateDirectory(PathOf("a"));
        Directory.CreateDirectory(PathOf("b"));
        (int exit, string output, string error) = await RunAsync(
            """
            # A comment.
            [nfsd]
            export = DIR/a:rw,insecure  DIR/b:ro
            port = 0
            bind = 127.0.0.1 ::1
            state = DIR/state
            rpcbind = none
            no-locks = true
            no-local-locks = false
            log-level = none
            """);
        Assert.Equal((0, ""), (exit, error));
        Assert.Contains($"serving {PathOf("a")} (rw), {PathOf("b")} (ro). Mount:", output, StringComparison.Ordinal);
        Assert.Matches(@"listening on 127\.0\.0\.1:\d+ and \[::1\]:\d+", output);
        Assert.True(Directory.Exists(PathOf("state")));
    }

    [Fact]
    public async Task The_command_line_wins()
    {
        Directory.CreateDirectory(PathOf("a"));
        Directory.CreateDirectory(PathOf("b"));
        (int exit, string output, string error) = await RunAsync(
            "[nfsd]\nexport = DIR/a\nport = 1\nbind=192.0.2.1\nstate = DIR/state\nrpcbind = none\nlog-level = none\n",
            "--export", PathOf("b"), "--port", "0", "--bind=127.0.0.1");
        Assert.Equal((0, ""), (exit, error));
        Assert.Matches($@"listening on 127\.0\.0\.1:\d+, serving {PathOf("b")} \(ro\)\. ", output);
    }

    [Theory]
    [InlineData("[nfsd]\nprot = 1\n", "there is no option 'prot'")]
    [InlineData("[nfsd]\nconfig = other\n", "there is no option 'config'")]
    [InlineData("[nfsd]\nport = many\n", "--port many: it is a number from 0 to 65535")]
    [InlineData("[nfsd]\nport =\n", "--port")]
    [InlineData("[nfsd]\nno-locks = perhaps\n", "no-locks is true or false, not 'perhaps'")]
    [InlineData("[mountd]\nport = 1\n", "'mountd' is not in a section [nfsd]")]
    [InlineData("port = 1\n", "'port' is not in a section [nfsd]")]
    [InlineData("[nfsd]\nport = 1\nport = 2\n", "port")]
    [InlineData("[nfsd]\nwhat is this\n", "what is this")]
    public async Task What_it_says_wrongly_is_refused_in_one_line_that_names_file_and_word(string configuration, string due)
    {
        (int exit, string output, string error) = await RunAsync(configuration, "--export", _directory.Path, "--state", PathOf("state"));
        Assert.Equal((Program.UsageError, ""), (exit, output));
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"nfsd: {PathOf("nfsd.conf")}: ", line, StringComparison.Ordinal);
        Assert.Contains(due, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_missing_is_named()
    {
        using var termination = new Termination();
        var error = new StringWriter();
        Assert.Equal(1, await Program.RunAsync(["--config", PathOf("none")], TextWriter.Null, error, termination));
        Assert.Contains(PathOf("none"), error.ToString(), StringComparison.Ordinal);
    }
}
