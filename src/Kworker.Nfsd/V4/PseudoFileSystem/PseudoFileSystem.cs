using System.Diagnostics;
using System.Globalization;
using System.Net;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;

namespace Kworker.Nfsd.V4;

/// <summary>
/// The directories above the exports, read-only, which join them to the one tree that NFSv4 has: RFC 7530 section 7, RFC 8881 section 7. Thread-safe.
/// </summary>
/// <remarks>
/// Whether a directory is there depends on the client, so LOOKUP, LOOKUPP and READDIR ask here by client (<see cref="TryGet"/>); to all other operations it is a file system like
/// any other, exported read-only.
/// </remarks>
[DebuggerDisplay("{_byId.Count} directories")]
internal sealed class PseudoFileSystem : INfsFileSystem
{
    private const uint DirectoryMode = 0x16d; // r-xr-xr-x

    private readonly ServedExports _served;
    private readonly Export _export;
    private readonly ExportOptions _options = new() { RequiresPrivilegedPort = false, Squash = Squash.All };
    private readonly PseudoDirectory _root;
    private readonly Dictionary<ulong, PseudoDirectory> _byId = [];
    private readonly Dictionary<Export, PseudoDirectory> _byExport = [];
    private readonly Export? _rootExport; // With fsid=0, or "/".
    private readonly NfsTime _start;

    /// <summary>Builds the tree above <paramref name="exports"/>.</summary>
    public PseudoFileSystem(ServedExports exports, TimeProvider clock)
    {
        _served = exports;
        Exports = exports.Now;
        _start = NfsTime.From(clock.GetUtcNow());
        _root = new PseudoDirectory(null, [], "/"u8);
        _byId.Add(_root.FileId, _root);
        foreach (Export export in Exports.Exports)
            Add(export);
        _rootExport = Exports.Find(0) ?? _root.Export;
        _export = new Export("/"u8, [ExportClient.Parse("*", _options with { FileSystemId = FreeId() })]);
    }

    /// <summary>The exports that it joins.</summary>
    public ExportSet Exports { get; }

    /// <summary>The number in handles that no export has.</summary>
    public uint ExportId => _export.Id;

    /// <summary>The directory where PUTROOTFH leads.</summary>
    public Nfsstat4 GetRoot(CompoundContext context, out NfsObject root)
    {
        if (_rootExport is null)
        {
            root = ObjectOf(_root);
            return Nfsstat4.Ok;
        }
        return Enter(context, _rootExport, out root);
    }

    /// <summary>The object of a handle of this file system.</summary>
    public Nfsstat4 Open(CompoundContext context, in NfsHandle handle, out NfsObject found)
    {
        found = default;
        if (!handle.TryGetUInt64(out ulong id) || !_byId.TryGetValue(id, out PseudoDirectory? directory)
            || (directory != _root && !directory.IsVisibleTo(AddressOf(context))))
        {
            return Nfsstat4.Stale;
        }
        found = ObjectOf(directory);
        return Nfsstat4.Ok;
    }

    /// <summary>Whether an object is of this file system, and which of its directories.</summary>
    public bool TryGet(in NfsObject found, out PseudoDirectory directory)
    {
        directory = _root;
        if (!ReferenceEquals(found.FileSystem, this))
            return false;
        return found.Handle.TryGetUInt64(out ulong id) && _byId.TryGetValue(id, out directory!);
    }

    /// <summary>LOOKUP in a directory of this file system: the next one, or the export that begins there.</summary>
    public Nfsstat4 Lookup(CompoundContext context, PseudoDirectory directory, ReadOnlySpan<byte> name, out NfsObject found)
    {
        found = default;
        if (directory.Find(name) is not { } child || !child.IsVisibleTo(AddressOf(context)))
            return Nfsstat4.NoEnt;
        return Enter(context, child, out found);
    }

    /// <summary>LOOKUP in a directory of an export where another export begins.</summary>
    /// <returns>Null if none does.</returns>
    public Nfsstat4? LookupNested(CompoundContext context, in NfsObject directory, ReadOnlySpan<byte> name, out NfsObject found)
    {
        found = default;
        if (!_byExport.TryGetValue(directory.Export, out PseudoDirectory? top) || top.Children.Count == 0)
            return null;
        return FindNested(context, directory, top, top, name) is { } nested ? Enter(context, nested, out found) : null;
    }

    /// <summary>LOOKUPP of what may be the root of an export: the directory above it.</summary>
    /// <returns>Null if it is not; NOENT for the root of all.</returns>
    public Nfsstat4? LookupParent(CompoundContext context, in NfsObject directory, out NfsObject found)
    {
        found = default;
        if (TryGet(directory, out PseudoDirectory pseudo))
            return pseudo.Parent is null ? Nfsstat4.NoEnt : Enter(context, pseudo.Parent, out found);
        if (!IsRoot(directory))
            return null;
        if (directory.Export == _rootExport || _byExport[directory.Export].Parent is not { } above)
            return Nfsstat4.NoEnt;
        return Climb(context, above, out found);
    }

    /// <summary>The number of the directory that the root of an export covers; null for any other file.</summary>
    public ulong? CoveredBy(in NfsObject file) =>
        _byExport.TryGetValue(file.Export, out PseudoDirectory? directory) && IsRoot(file) ? directory.FileId : null;

    /// <summary>The object that a client finds at a directory: the export that begins there if it is exported to it.</summary>
    public Nfsstat4 Enter(CompoundContext context, PseudoDirectory directory, out NfsObject found)
    {
        if (directory.Export is { } export && export.Match(AddressOf(context)) is not null)
            return Enter(context, export, out found);
        found = ObjectOf(directory);
        return Nfsstat4.Ok;
    }

    private Nfsstat4 Enter(CompoundContext context, Export export, out NfsObject found)
    {
        found = default;
        if (export.Match(AddressOf(context)) is not { } options)
            return Nfsstat4.Access;
        if (!_served.MayUsePort(context.Call, export, options))
            return Nfsstat4.Perm;
        INfsFileSystem fileSystem = Exports.FileSystemOf(export);
        NfsStatus status = fileSystem.GetRoot(out NfsHandle root);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        found = new NfsObject(export, fileSystem, options, context.CallerUnder(options), root);
        return Nfsstat4.Ok;
    }

    /// <summary>The directory above an export within another: one of this file system, or of that export.</summary>
    private Nfsstat4 Climb(CompoundContext context, PseudoDirectory above, out NfsObject found)
    {
        for (PseudoDirectory? top = above; top is not null; top = top.Parent)
        {
            if (top.Export?.Match(AddressOf(context)) is null)
                continue;
            Nfsstat4 entered = Enter(context, top, out found);
            if (entered != Nfsstat4.Ok)
                return entered;
            if (!TryWalk(found, top, above, out NfsHandle handle))
                return Nfsstat4.Stale;
            found = new NfsObject(found.Export, found.FileSystem, found.Options, found.Caller, handle);
            return Nfsstat4.Ok;
        }
        found = ObjectOf(above);
        return Nfsstat4.Ok;
    }

    /// <summary>Looks below <paramref name="at"/> for an export of this name whose parent is <paramref name="directory"/>.</summary>
    private static PseudoDirectory? FindNested(
        CompoundContext context, in NfsObject directory, PseudoDirectory top, PseudoDirectory at, ReadOnlySpan<byte> name)
    {
        foreach (PseudoDirectory child in at.Children)
        {
            if (child.Export is not null && name.SequenceEqual(child.Name) && child.Export.Match(AddressOf(context)) is not null
                && TryWalk(directory, top, at, out NfsHandle parent) && parent == directory.Handle)
            {
                return child;
            }
            if (FindNested(context, directory, top, child, name) is { } found)
                return found;
        }
        return null;
    }

    /// <summary>Finds the real directory of an export that stands where <paramref name="target"/> does.</summary>
    private static bool TryWalk(in NfsObject within, PseudoDirectory top, PseudoDirectory target, out NfsHandle handle)
    {
        if (target == top)
            return within.FileSystem.GetRoot(out handle) == NfsStatus.Ok;
        if (!TryWalk(within, top, target.Parent!, out NfsHandle parent)
            || within.FileSystem.Lookup(within.Caller, parent, target.Name, out NfsFile file, out _) != NfsStatus.Ok)
        {
            handle = default;
            return false;
        }
        handle = file.Handle;
        return true;
    }

    private static bool IsRoot(in NfsObject file) => file.FileSystem.GetRoot(out NfsHandle root) == NfsStatus.Ok && root == file.Handle;

    private NfsObject ObjectOf(PseudoDirectory directory) => new(_export, this, _options, NfsCredentials.Nobody, directory.Handle);

    private void Add(Export export)
    {
        PseudoDirectory at = _root;
        ReadOnlySpan<byte> path = export.PathBytes;
        for (int end = 1; end < path.Length;)
        {
            int length = path[end..].IndexOf((byte)'/');
            ReadOnlySpan<byte> name = length < 0 ? path[end..] : path.Slice(end, length);
            end += name.Length;
            PseudoDirectory? next = at.Find(name);
            if (next is null)
            {
                next = at.Add(new PseudoDirectory(at, name, path[..end]));
                _byId.Add(next.FileId, next);
            }
            at = next;
            end++;
        }
        at.Export = export;
        _byExport.Add(export, at);
    }

    /// <summary>An id that no export has: the highest.</summary>
    private string FreeId()
    {
        uint id = uint.MaxValue;
        while (Exports.Find(id) is not null)
            id--;
        return id.ToString(CultureInfo.InvariantCulture);
    }

    private static IPAddress AddressOf(CompoundContext context) => context.Call.RemoteEndPoint.Address;

    // What every file system must have. A handle that gets here has been looked up before.

    NfsStatus INfsFileSystem.GetRoot(out NfsHandle root)
    {
        root = _root.Handle;
        return NfsStatus.Ok;
    }

    NfsStatus INfsFileSystem.GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes)
    {
        attributes = default;
        if (!file.TryGetUInt64(out ulong id) || !_byId.TryGetValue(id, out PseudoDirectory? directory))
            return NfsStatus.Stale;
        attributes = new NfsAttributes
        {
            Type = NfsFileType.Directory,
            Mode = DirectoryMode,
            LinkCount = (uint)directory.Children.Count + 2,
            FileSystemId = ExportId,
            FileId = id,
            AccessTime = _start,
            ModifyTime = _start,
            ChangeTime = _start,
        };
        return NfsStatus.Ok;
    }

    NfsStatus INfsFileSystem.Access(
        NfsCredentials caller, in NfsHandle file, NfsAccess requested, out NfsAccess granted, out NfsAttributes? attributes)
    {
        NfsStatus status = ((INfsFileSystem)this).GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        granted = requested & (NfsAccess.Read | NfsAccess.Lookup);
        return status;
    }

    NfsStatus INfsFileSystem.SetAttributes(
        NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change)
    {
        change = default;
        return NfsStatus.RoFs;
    }

    NfsStatus INfsFileSystem.Lookup(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes)
    {
        file = default;
        directoryAttributes = null;
        if (!directory.TryGetUInt64(out ulong id) || !_byId.TryGetValue(id, out PseudoDirectory? found))
            return NfsStatus.Stale;
        if (found.Find(name) is not { } child)
            return NfsStatus.NoEnt;
        file = new NfsFile(child.Handle, null);
        return NfsStatus.Ok;
    }

    NfsStatus INfsFileSystem.Read(
        NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes)
    {
        count = 0;
        isEnd = false;
        attributes = null;
        return NfsStatus.IsDir;
    }

    NfsStatus INfsFileSystem.Write(
        NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability, out NfsWritten written,
        out NfsChange change)
    {
        written = default;
        change = default;
        return NfsStatus.IsDir;
    }

    NfsStatus INfsFileSystem.Create(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange) =>
        Refuse(out file, out directoryChange);

    NfsStatus INfsFileSystem.MakeDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file,
        out NfsChange directoryChange) => Refuse(out file, out directoryChange);

    NfsStatus INfsFileSystem.Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) =>
        Refuse(out _, out directoryChange);

    NfsStatus INfsFileSystem.RemoveDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) => Refuse(out _, out directoryChange);

    NfsStatus INfsFileSystem.Rename(
        NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName,
        out NfsChange fromChange, out NfsChange toChange)
    {
        toChange = default;
        return Refuse(out _, out fromChange);
    }

    NfsStatus INfsFileSystem.ReadDirectory(
        NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor,
        out NfsDirectoryRead read)
    {
        read = default;
        return NfsStatus.NotSupp; // READDIR asks by client.
    }

    private static NfsStatus Refuse(out NfsFile file, out NfsChange change)
    {
        file = default;
        change = default;
        return NfsStatus.RoFs;
    }
}
