using Microsoft.Win32.SafeHandles;

namespace Kworker.Apps.Nfs.Commands;

/// <summary>A path on this machine.</summary>
internal sealed class LocalPlace(string path) : Place
{
    public override string Name => path;

    public override string LastName => Path.GetFileName(Path.GetFullPath(path).TrimEnd('/'));

    public override Task<Status> StatusAsync(bool followLink, CancellationToken cancellationToken)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            if (!followLink)
                return Task.FromResult(new Status(Kind.Link, 0, 0b111_111_111));
            if (file.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                file = new FileInfo(target.FullName);
        }
        if (Directory.Exists(file.FullName))
            return Task.FromResult(new Status(Kind.Directory, 0, (int)File.GetUnixFileMode(file.FullName)));
        if (!file.Exists)
            return Task.FromResult(default(Status));
        bool isRegular = (file.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0;
        return Task.FromResult(new Status(isRegular ? Kind.File : Kind.Other, file.Length, (int)File.GetUnixFileMode(file.FullName)));
    }

    public override Task<IOpenFile> OpenToReadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IOpenFile>(new OpenFile(File.OpenHandle(path, options: FileOptions.SequentialScan)));

    public override Task<IOpenFile> OpenToWriteAsync(int mode, CancellationToken cancellationToken)
    {
        // Opened so that a file which is there keeps its mode, as cp does.
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = (UnixFileMode)(mode & 0b111_111_111),
            BufferSize = 0,
        });
        return Task.FromResult<IOpenFile>(new OpenFile(stream.SafeFileHandle, stream));
    }

    public override async IAsyncEnumerable<string> ListAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (string entry in Directory.EnumerateFileSystemEntries(path))
        {
            string name = Path.GetFileName(entry);
            // .NET has no form for bytes that are no UTF-8: such a name cannot be opened again.
            if (name.Contains('\ufffd', StringComparison.Ordinal))
                throw new IOException($"{path}: holds a name that is no UTF-8, and cannot be copied");
            yield return name;
        }
    }

    public override Task MakeDirectoryAsync(int mode, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path, (UnixFileMode)(mode & 0b111_111_111));
        return Task.CompletedTask;
    }

    public override Task<string> ReadLinkAsync(CancellationToken cancellationToken) => Task.FromResult(new FileInfo(path).LinkTarget!);

    public override Task MakeLinkAsync(string target, CancellationToken cancellationToken)
    {
        File.CreateSymbolicLink(path, target);
        return Task.CompletedTask;
    }

    public override Place Below(string name) => name.Any(char.IsSurrogate) && !IsWellFormed(name)
        ? throw new IOException($"{path}: a name that is no UTF-8 cannot be made here")
        : new LocalPlace(Path.Combine(path, name));

    private static bool IsWellFormed(string name) => !name.EnumerateRunes().Contains(System.Text.Rune.ReplacementChar);

    private sealed class OpenFile(SafeFileHandle handle, FileStream? stream = null) : IOpenFile
    {
        public ValueTask<int> ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            RandomAccess.ReadAsync(handle, target, offset, cancellationToken);

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
            RandomAccess.WriteAsync(handle, source, offset, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            if (stream is not null)
                await stream.DisposeAsync();
            handle.Dispose();
        }
    }
}
