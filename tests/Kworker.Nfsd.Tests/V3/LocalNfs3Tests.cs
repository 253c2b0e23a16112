using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>The specification over a real directory.</summary>
public sealed class LocalNfs3Tests : Nfs3Specification
{
    private readonly TemporaryDirectory _directory;
    private readonly LocalFileSystem _fileSystem;

    public LocalNfs3Tests()
        : this(new TemporaryDirectory())
    {
    }

    private LocalNfs3Tests(TemporaryDirectory directory)
        : this(directory, LocalFileSystem.Open(directory.Path))
    {
    }

    private LocalNfs3Tests(TemporaryDirectory directory, LocalFileSystem fileSystem)
        : base(fileSystem)
    {
        _directory = directory;
        _fileSystem = fileSystem;
    }

    private protected override bool TellsBefore => true;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _fileSystem.Dispose();
        _directory.Dispose();
    }
}
