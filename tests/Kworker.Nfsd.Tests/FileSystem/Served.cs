using System.Text;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>A directory of its own, served; with the calls that tests make all the time.</summary>
internal sealed class Served : IDisposable
{
    public const string NeedsRoot = "Only root can act as other users; this run is not root's.";

    private readonly string _top;
    private readonly LocalFileSystemOptions _options;

    public Served(LocalFileSystemOptions? options = null, string? under = null)
    {
        _options = options ?? new LocalFileSystemOptions { IsAsync = true };
        _top = System.IO.Path.Combine(under ?? System.IO.Path.GetTempPath(), $"kworker-fs-{Guid.NewGuid():n}");
        Path = System.IO.Path.Combine(_top, "export");
        Directory.CreateDirectory(Path);
        File.SetUnixFileMode(Path, (UnixFileMode)0x1ff);
        Fs = LocalFileSystem.Open(Path, _options);
    }

    public static bool IsRoot => Environment.IsPrivilegedProcess;

    public string Path { get; }

    /// <summary>The directory that the exported one is in.</summary>
    public string Outside => _top;

    public LocalFileSystem Fs { get; private set; }

    public NfsHandle Root
    {
        get
        {
            Assert.Equal(NfsStatus.Ok, Fs.GetRoot(out NfsHandle root));
            return root;
        }
    }

    /// <summary>As after a restart of the server.</summary>
    public void Restart(LocalFileSystemOptions? options = null)
    {
        Fs.Dispose();
        Fs = LocalFileSystem.Open(Path, options ?? _options);
    }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public NfsStatus TryLookup(NfsHandle directory, ReadOnlySpan<byte> name, out NfsHandle handle, NfsCredentials? caller = null)
    {
        NfsStatus status = Fs.Lookup(caller ?? NfsCredentials.Root, directory, name, out NfsFile file, out _);
        handle = file.Handle;
        return status;
    }

    public NfsHandle Lookup(string path)
    {
        NfsHandle at = Root;
        foreach (string name in path.Split('/'))
        {
            Assert.Equal(NfsStatus.Ok, TryLookup(at, Encoding.UTF8.GetBytes(name), out NfsHandle next));
            at = next;
        }
        return at;
    }

    public NfsHandle Create(string name, uint mode = 0x1a4, NfsCredentials? caller = null)
    {
        Assert.Equal(NfsStatus.Ok, Fs.Create(
            caller ?? NfsCredentials.Root, Root, Encoding.UTF8.GetBytes(name), NfsCreateHow.Guarded(new NfsAttributeChanges { Mode = mode }), out NfsFile file, out _));
        return file.Handle;
    }

    public NfsHandle MakeDirectory(string name, uint mode = 0x1ed, NfsCredentials? caller = null)
    {
        Assert.Equal(NfsStatus.Ok, Fs.MakeDirectory(
            caller ?? NfsCredentials.Root, Root, Encoding.UTF8.GetBytes(name), new NfsAttributeChanges { Mode = mode }, out NfsFile file, out _));
        return file.Handle;
    }

    public NfsStatus Write(NfsHandle file, string text, ulong offset = 0, NfsStability stability = NfsStability.Unstable, NfsCredentials? caller = null) =>
        Fs.Write(caller ?? NfsCredentials.Root, file, offset, Encoding.UTF8.GetBytes(text), stability, out _, out _);

    public NfsStatus TryRead(NfsHandle file, out string text, NfsCredentials? caller = null)
    {
        byte[] buffer = new byte[4096];
        NfsStatus status = Fs.Read(caller ?? NfsCredentials.Root, file, 0, buffer, out int count, out _, out _);
        text = Encoding.UTF8.GetString(buffer, 0, count);
        return status;
    }

    public string Read(NfsHandle file, NfsCredentials? caller = null)
    {
        Assert.Equal(NfsStatus.Ok, TryRead(file, out string text, caller));
        return text;
    }

    public NfsStatus TryAttributes(NfsHandle file, out NfsAttributes attributes) => Fs.GetAttributes(NfsCredentials.Root, file, out attributes);

    public NfsAttributes Attributes(NfsHandle file)
    {
        Assert.Equal(NfsStatus.Ok, TryAttributes(file, out NfsAttributes attributes));
        return attributes;
    }

    public NfsStatus Set(NfsHandle file, NfsAttributeChanges changes, NfsCredentials? caller = null) =>
        Fs.SetAttributes(caller ?? NfsCredentials.Root, file, changes, null, out _);

    public void Dispose()
    {
        Fs.Dispose();
        // Not Directory.Delete: it cannot name what is not UTF-8.
        using var removal = System.Diagnostics.Process.Start("rm", ["-rf", "--", _top]);
        removal.WaitForExit();
    }
}
