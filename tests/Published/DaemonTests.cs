namespace Kworker.Published;

/// <summary>nfsd as it is meant to be installed, and nfsdcltrack beside it: one native program, since the server starts it for each client that comes and goes.</summary>
public sealed class DaemonTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-published-");

    private string Output => Path.Combine(_directory.FullName, "out");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void It_runs_and_has_one_native_program_beside_it_that_keeps_the_record()
    {
        (int code, string output) = Tree.Run(
            "dotnet",
            "publish",
            Path.Combine(Tree.Root, "apps", "nfsd"),
            "--artifacts-path",
            Path.Combine(_directory.FullName, "artifacts"),
            "-o",
            Output,
            "-nologo",
            "-nodeReuse:false");
        Assert.True(code == 0, output);
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);
        (code, output) = Tree.Run(Path.Combine(Output, "nfsd"), "--version");
        Assert.True(code == 0 && char.IsAsciiDigit(output[0]), output);
        Assert.Empty(Directory.EnumerateFiles(Output, "nfsdcltrack*.dll"));

        const int notThere = 255;
        Answers(0, "init");
        Answers(notThere, "check", "4c69");
        Answers(0, "create", "4c69");
        Answers(0, "check", "4c69");
        Answers(0, "gracedone", "1000");
        Answers(0, "check", "4c69");
        Answers(0, "remove", "4c69");
        Answers(notThere, "check", "4c69");
    }

    private void Answers(int due, params string[] command)
    {
        (int code, string output) = Tree.Run(Path.Combine(Output, "nfsdcltrack"), ["-f", "-s", Path.Combine(_directory.FullName, "record"), .. command]);
        Assert.True(code == due, $"{string.Join(' ', command)} ended with {code}, due was {due}: {output}");
    }
}
