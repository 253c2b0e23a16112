using System.Diagnostics;
using System.Net;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Server;

/// <summary>The exports, each with its file system, and what each call is granted by them. Thread-safe.</summary>
[DebuggerDisplay("{_now.Exports.Count} exports")]
internal sealed class ServedExports
{
    private volatile ExportSet _now; // replaced as a whole; each call takes it once
    private readonly FileHandleSeal _seal;
    private readonly ILogger _logger;
    private readonly LogThrottle _refusals;

    /// <exception cref="ExportsFormatException">Two exports have the same path or the same id.</exception>
    public ServedExports(IReadOnlyCollection<NfsExport> exports, FileHandleSeal seal, ILogger logger, TimeProvider clock)
    {
        _now = new ExportSet(exports);
        _seal = seal;
        _logger = logger;
        _refusals = new LogThrottle(clock);
    }

    /// <summary>What is exported now. Take it once a call.</summary>
    public ExportSet Now => _now;

    /// <summary>Exports something else from the next call on.</summary>
    /// <exception cref="ExportsFormatException">Two exports have the same path or the same id; nothing has changed.</exception>
    public void Replace(IReadOnlyCollection<NfsExport> exports) => _now = new ExportSet(exports);

    /// <summary>The wire's form of a handle of <paramref name="within"/>'s export.</summary>
    /// <returns>Bytes written; <see cref="FileHandleSeal.MaxSealedLength"/> are enough.</returns>
    public int Seal(in NfsObject within, in NfsHandle handle, Span<byte> destination) => _seal.Seal(within.Export.Id, handle, destination);

    /// <summary>Finds what a handle from the wire names, and checks the export's rules anew for this client, this port and this caller.</summary>
    /// <returns>
    /// OK; BADHANDLE for what can be no handle; STALE for one that was made up or sealed with another key, or is of an export that is gone or
    /// not this client's.
    /// </returns>
    /// <exception cref="RpcAuthException">The export wants a privileged port, and the call has none.</exception>
    public NfsStatus Open(RpcCall call, ReadOnlySpan<byte> wire, out NfsObject found)
    {
        found = default;
        if (!_seal.TryOpen(wire, out uint id, out NfsHandle handle))
            return FileHandleSeal.HasForm(wire) ? NfsStatus.Stale : NfsStatus.BadHandle;
        ExportSet now = _now;
        if (now.Find(id) is not { } export || export.Match(call.RemoteEndPoint.Address) is not { } options)
            return NfsStatus.Stale;
        // No status of NFSv3 says this: the credential is worth too little from there.
        if (!MayUsePort(call, export, options))
            throw new RpcAuthException(RpcAuthStatus.TooWeak);
        found = new NfsObject(export, now.FileSystemOf(export), options, options.Apply(CallerOf(call)), handle);
        return NfsStatus.Ok;
    }

    /// <summary>Takes a handle from the wire apart, without a look at the export's rules.</summary>
    /// <returns>OK, BADHANDLE or STALE as <see cref="Open"/>.</returns>
    public NfsStatus TakeApart(ReadOnlySpan<byte> wire, out uint exportId, out NfsHandle handle)
    {
        if (_seal.TryOpen(wire, out exportId, out handle))
            return NfsStatus.Ok;
        return FileHandleSeal.HasForm(wire) ? NfsStatus.Stale : NfsStatus.BadHandle;
    }

    /// <summary>Whether the client's port will do for the export. If not, the log says so.</summary>
    public bool MayUsePort(RpcCall call, Export export, ExportOptions options)
    {
        if (IsPortAllowed(options, call.RemoteEndPoint))
            return true;
        if (_refusals.TryTake())
            NfsLog.PortRefused(_logger, call.RemoteEndPoint, export.Path);
        return false;
    }

    /// <summary>Finds the directory that a client asks to mount: an export, or a directory below one.</summary>
    /// <remarks>
    /// It is looked up as the caller, name by name, so that a mount gives nothing that LOOKUP from the export's root would not; symbolic links are
    /// not followed.
    /// </remarks>
    /// <returns>OK; NOENT if the path is not exported; ACCES if not to this client, or not from this port; else what the file system says.</returns>
    public NfsStatus Mount(RpcCall call, ReadOnlySpan<byte> path, out NfsObject directory)
    {
        directory = default;
        ExportSet now = _now;
        if (now.Find(path, out byte[] below) is not { } export)
        {
            if (_refusals.TryTake())
                NfsLog.MountRefused(_logger, call.RemoteEndPoint, ExportPath.Show(path), NfsStatus.NoEnt);
            return NfsStatus.NoEnt;
        }
        if (export.Match(call.RemoteEndPoint.Address) is not { } options)
        {
            if (_refusals.TryTake())
                NfsLog.ClientRefused(_logger, call.RemoteEndPoint, export.Path);
            return NfsStatus.Acces;
        }
        if (!IsPortAllowed(options, call.RemoteEndPoint))
        {
            if (_refusals.TryTake())
                NfsLog.PortRefused(_logger, call.RemoteEndPoint, export.Path);
            return NfsStatus.Acces;
        }
        NfsStatus status = Walk(call, export, now.FileSystemOf(export), options, below, out directory);
        if (status != NfsStatus.Ok && _refusals.TryTake())
            NfsLog.MountRefused(_logger, call.RemoteEndPoint, ExportPath.Show(path), status);
        return status;
    }

    private static NfsStatus Walk(
        RpcCall call, Export export, INfsFileSystem fileSystem, ExportOptions options, ReadOnlySpan<byte> below, out NfsObject directory)
    {
        NfsCredentials caller = options.Apply(CallerOf(call));
        NfsStatus status = fileSystem.GetRoot(out NfsHandle handle);
        foreach (Range range in below.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = below[range];
            if (status != NfsStatus.Ok || name.IsEmpty)
                break; // An empty name is an empty rest: the export itself.
            status = fileSystem.Lookup(caller, handle, name, out NfsFile file, out _);
            handle = file.Handle;
        }
        NfsAttributes attributes = default;
        if (status == NfsStatus.Ok)
            status = fileSystem.GetAttributes(caller, handle, out attributes);
        if (status == NfsStatus.Ok && attributes.Type != NfsFileType.Directory)
            status = NfsStatus.NotDir;
        directory = new NfsObject(export, fileSystem, options, caller, handle);
        return status;
    }

    private static bool IsPortAllowed(ExportOptions options, IPEndPoint client) => !options.RequiresPrivilegedPort || client.Port < 1024;

    private static NfsCredentials? CallerOf(RpcCall call) =>
        call.Sys is { } sys ? new NfsCredentials(sys.Uid, sys.Gid, sys.Groups.Span) : null;
}
