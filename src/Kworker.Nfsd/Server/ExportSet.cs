using System.Diagnostics;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Server;

/// <summary>What is exported at a time, each with its file system. Immutable: a call that has taken one sees the same to its end.</summary>
[DebuggerDisplay("{Exports.Count} exports")]
internal sealed class ExportSet
{
    private readonly ExportTable _table;
    private readonly Dictionary<uint, INfsFileSystem> _fileSystems;

    /// <exception cref="ExportsFormatException">Two exports have the same path or the same id.</exception>
    public ExportSet(IReadOnlyCollection<NfsExport> exports)
    {
        _table = new ExportTable(exports.Select(export => export.Export));
        _fileSystems = exports.ToDictionary(export => export.Export.Id, export => export.FileSystem);
    }

    public IReadOnlyList<Export> Exports => _table.Exports;

    /// <summary>The export of this id; null if there is none.</summary>
    public Export? Find(uint exportId) => _table.Find(exportId);

    /// <inheritdoc cref="ExportTable.Find(ReadOnlySpan{byte}, out byte[])"/>
    public Export? Find(ReadOnlySpan<byte> path, out byte[] below) => _table.Find(path, out below);

    /// <summary>What clients find at one of <see cref="Exports"/>.</summary>
    public INfsFileSystem FileSystemOf(Export export) => _fileSystems[export.Id];
}
