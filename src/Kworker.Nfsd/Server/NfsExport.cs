using System.Diagnostics;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd;

/// <summary>What a server exports: under which path, to whom, and which file system it is. Immutable.</summary>
/// <param name="Export">The path that clients mount, and who may do what.</param>
/// <param name="FileSystem">What they find there. The server does not dispose it.</param>
[DebuggerDisplay("{Export.Path}: {FileSystem}")]
public sealed record NfsExport(Export Export, INfsFileSystem FileSystem)
{
    /// <summary>Exports <paramref name="fileSystem"/> to everyone who can reach the server.</summary>
    /// <param name="argument">Path and options of exports(5), as <c>/srv:rw,insecure</c>.</param>
    /// <param name="fileSystem">What clients find there.</param>
    /// <exception cref="ExportsFormatException">The argument cannot be understood; the message names the word.</exception>
    public static NfsExport Parse(string argument, INfsFileSystem fileSystem) => new(ExportTable.ParseArgument(argument), fileSystem);
}
