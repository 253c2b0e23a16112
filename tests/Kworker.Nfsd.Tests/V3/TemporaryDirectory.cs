using System.Diagnostics;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>A directory that goes with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory()
    {
        Path = Directory.CreateTempSubdirectory("kworker-nfs-").FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0x1ff);
    }

    public string Path { get; }

    public void Dispose()
    {
        // Names that are not UTF-8 are beyond .NET's own file calls.
        using Process remove = Process.Start("rm", ["-rf", Path]);
        remove.WaitForExit();
    }
}
