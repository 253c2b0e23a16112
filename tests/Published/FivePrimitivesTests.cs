namespace Kworker.Published;

/// <summary>
/// The sample that uses all five primitives, published as users publish, without a warning; then it runs and checks its own results. Needs a linker for
/// native code (Debian: gcc, libc6-dev), and the compiler's package, which the publish downloads once.
/// </summary>
public sealed class FivePrimitivesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-published-");

    private string Program => Path.Combine(_directory.FullName, "out", "FivePrimitives");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void It_becomes_one_native_program_that_runs()
    {
        Publish("native");
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Program)!, "*.dll"));
        RunSample();
    }

    [Fact]
    public void Its_runtime_can_be_cut_down_to_what_it_uses()
    {
        Publish("trimmed");
        Assert.NotEmpty(Directory.EnumerateFiles(Path.GetDirectoryName(Program)!, "Kworker.dll"));
        RunSample();
    }

    private void Publish(string variant)
    {
        // All of it elsewhere, references included: the tree's own output stays as the other tests find it.
        (int code, string output) = Tree.Run(
            "dotnet",
            "publish",
            Path.Combine(Tree.Root, "samples", "FivePrimitives"),
            $"-p:Variant={variant}",
            "--artifacts-path",
            Path.Combine(_directory.FullName, "artifacts"),
            "-o",
            Path.GetDirectoryName(Program)!,
            "-nologo",
            "-nodeReuse:false");
        Assert.True(code == 0, output);
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);
    }

    private void RunSample()
    {
        Check(Tree.Run(Program));

        // Process 1 of a container has children of others, too, and signals of its own. To be one takes root, and more than root in a container.
        string[] asProcessOne = ["--pid", "--fork", "--mount-proc"];
        if (Environment.IsPrivilegedProcess && Tree.Run("unshare", [.. asProcessOne, "true"]).Code == 0)
            Check(Tree.Run("unshare", [.. asProcessOne, Program]));

        static void Check((int Code, string Output) ended)
        {
            Assert.True(ended.Code == 0, ended.Output);
            Assert.Equal(11, ended.Output.Split('\n').Count(static line => line.StartsWith("ok ", StringComparison.Ordinal)));
        }
    }
}
