namespace Kworker.Interop.Peers;

/// <summary>A directory of its own for one test, gone afterwards. Readable by everybody: servers and helpers may run as other users.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public TemporaryDirectory()
    {
        Path = Directory.CreateTempSubdirectory("kworker-interop-").FullName;
        File.SetUnixFileMode(Path, ForAll);
    }

    public string Path { get; }

    /// <summary>Makes the directory <paramref name="name"/> in it and returns its path.</summary>
    public string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name), ForAll).FullName;

    // By rm: names that are not UTF-8 do not go through System.IO.
    public void Dispose() => Command.Run("rm", ["-rf", "--", Path]);
}
