namespace Kworker.Published;

/// <summary>nfsdcltrack as it is meant to be installed: one native program, and SQLite beside it. The server starts it for each client that comes and goes.</summary>
public sealed class TrackingProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-published-");

    private string Program => Path.Combine(_directory.FullName, "out", "nfsdcltrack");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void It_becomes_one_native_program_that_keeps_the_record()
    {
        (int code, string output) = Tree.Run(
            "dotnet",
            "publish",
            Path.Combine(Tree.Root, "apps", "nfsdcltrack"),
            "--artifacts-path",
            Path.Combine(_directory.FullName, "artifacts"),
            "-o",
            Path.GetDirectoryName(Program)!,
            "-nologo",
            "-nodeReuse:false");
        Assert.True(code == 0, output);
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Program)!, "*.dll"));

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
        (int code, string output) = Tree.Run(Program, ["-f", "-s", Path.Combine(_directory.FullName, "record"), .. command]);
        Assert.True(code == due, $"{string.Join(' ', command)} ended with {code}, due was {due}: {output}");
    }
}
