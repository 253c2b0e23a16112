using System.Diagnostics;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Server;

/// <summary>A file that a call names by its handle, and as whom the call may work on it. Valid for that call.</summary>
[DebuggerDisplay("{Handle} of {Export.Path}")]
internal readonly struct NfsObject(Export export, INfsFileSystem fileSystem, ExportOptions options, NfsCredentials caller, in NfsHandle handle)
{
    private readonly NfsHandle _handle = handle;

    public Export Export { get; } = export;

    public INfsFileSystem FileSystem { get; } = fileSystem;

    /// <summary>What the export grants to this client.</summary>
    public ExportOptions Options { get; } = options;

    /// <summary>The caller, squashed.</summary>
    public NfsCredentials Caller { get; } = caller;

    public NfsHandle Handle => _handle;

    /// <summary><see cref="NfsStatus.RoFs"/> if this client may only read.</summary>
    public NfsStatus CheckWritable() => Options.IsReadOnly ? NfsStatus.RoFs : NfsStatus.Ok;

    /// <summary>The file's attributes as they are now, if they can be had and the file system has not given them with the operation.</summary>
    public NfsAttributes? Complete(in NfsAttributes? given)
    {
        if (given is not null)
            return given;
        return FileSystem.GetAttributes(Caller, _handle, out NfsAttributes attributes) == NfsStatus.Ok ? attributes : null;
    }

    /// <summary>As <see cref="Complete(in NfsAttributes?)"/>, for an operation that changes the file.</summary>
    public NfsChange Complete(in NfsChange given) => given.After is null ? given with { After = Complete(default(NfsAttributes?)) } : given;
}
