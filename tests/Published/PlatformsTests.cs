namespace Kworker.Published;

/// <summary>The library compiles for each platform that docs/platforms.md names, with calls that one does not have (CA1416) as errors. None of these is run here but Linux x64.</summary>
public sealed class PlatformsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-published-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory, Trait("Run", "full")]
    [InlineData("linux-x64")]
    [InlineData("linux-arm64")]
    [InlineData("linux-musl-x64")]
    [InlineData("osx-arm64")]
    [InlineData("win-x64")]
    public void The_library_compiles_for_it(string runtime)
    {
        // All of it elsewhere, and no lock file for platforms that the tree does not build.
        (int code, string output) = Tree.Run(
            "dotnet", "build", Path.Combine(Tree.Root, "src", "Kworker"), "--runtime", runtime, "--artifacts-path", _directory.FullName,
            $"-p:NuGetLockFilePath={Path.Combine(_directory.FullName, "packages.lock.json")}", "-p:WarningsAsErrors=CA1416", "-nologo", "-nodeReuse:false");
        Assert.True(code == 0, output);
        Assert.NotEmpty(_directory.GetFiles("Kworker.dll", SearchOption.AllDirectories));
    }
}
