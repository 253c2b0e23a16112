using Kworker.Nfsd.FileSystem;

namespace Kworker.Samples;

/// <summary>Files and directories in memory: how a program serves things of its own over NFS.</summary>
/// <remarks>Handles are numbers that are never used again; nothing outlives the process. Everybody may do everything: where that matters, look at the caller.</remarks>
public sealed class MemoryFileSystem : INfsFileSystem
{
    private sealed class Node
    {
        public readonly SortedDictionary<ulong, (byte[] Name, Node Node)> Entries = []; // By cookie, which is given out once only.
        public required Node? Parent;
        public required NfsAttributes Attributes;
        public byte[] Data = [];
        public ulong? Verifier; // Of the exclusive create that made it.

        public NfsFile AsFile => new(NfsHandle.FromUInt64(Attributes.FileId), Attributes);

        public ulong CookieOf(byte[] name) => Entries.FirstOrDefault(entry => entry.Value.Name.AsSpan().SequenceEqual(name)).Key;

        public void Resize(int size)
        {
            Array.Resize(ref Data, size);
            Attributes.Size = Attributes.Used = (ulong)size;
        }

        public NfsChange Touch(NfsBefore before) // Times move with every change: clients tell by them that their cache is old.
        {
            Attributes.ModifyTime = Attributes.ChangeTime = NfsTime.From(DateTimeOffset.UtcNow);
            return new NfsChange(before, Attributes);
        }
    }

    private readonly Lock _lock = new(); // Guards everything: simple, and fast enough here.
    private readonly Dictionary<ulong, Node> _nodes = [];
    private readonly Node _root;
    private ulong _lastNumber = 2; // Of file ids and cookies; cookies 1 and 2 are "." and "..".

    public MemoryFileSystem() => _root = Make(NfsCredentials.Root, null, NfsFileType.Directory, new NfsAttributeChanges { Mode = 0x1ff });

    private Node Make(NfsCredentials caller, Node? parent, NfsFileType type, in NfsAttributeChanges changes)
    {
        var node = new Node { Parent = parent, Attributes = new() { Type = type, FileId = ++_lastNumber, LinkCount = 1, Uid = caller.Uid, Gid = caller.Gid } };
        Apply(node, changes);
        return _nodes[node.Attributes.FileId] = node;
    }

    private static NfsChange Apply(Node node, in NfsAttributeChanges changes)
    {
        NfsBefore before = NfsBefore.Of(node.Attributes);
        if (changes.Size is { } size)
            node.Resize((int)size);
        node.Touch(before);
        ref NfsAttributes attributes = ref node.Attributes;
        (attributes.Mode, attributes.Uid, attributes.Gid) =
            (changes.Mode ?? attributes.Mode, changes.Uid ?? attributes.Uid, changes.Gid ?? attributes.Gid);
        bool keepsTime = changes.ModifyTime.Source == NfsTimeSource.DontChange && changes.Size is null && before.ModifyTime != default;
        if (keepsTime || changes.ModifyTime.Source == NfsTimeSource.Client)
            attributes.ModifyTime = keepsTime ? before.ModifyTime : changes.ModifyTime.Time;
        if (changes.AccessTime.Source != NfsTimeSource.DontChange)
            attributes.AccessTime = changes.AccessTime.Source == NfsTimeSource.Client ? changes.AccessTime.Time : attributes.ChangeTime;
        return new NfsChange(before, attributes);
    }

    private NfsStatus Find(in NfsHandle handle, NfsFileType type, out Node node) // None: of any type.
    {
        node = _root;
        if (!handle.TryGetUInt64(out ulong id)) return NfsStatus.BadHandle;
        if (!_nodes.TryGetValue(id, out Node? found)) return NfsStatus.Stale;
        node = found;
        if (type == NfsFileType.None || type == node.Attributes.Type) return NfsStatus.Ok;
        return type == NfsFileType.Directory ? NfsStatus.NotDir : NfsStatus.IsDir;
    }

    public NfsStatus GetRoot(out NfsHandle root)
    {
        root = _root.AsFile.Handle;
        return NfsStatus.Ok;
    }

    public NfsStatus GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Find(file, NfsFileType.None, out Node node);
        attributes = node.Attributes;
        return status;
    }

    public NfsStatus SetAttributes(NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Find(file, changes.Size is null ? NfsFileType.None : NfsFileType.Regular, out Node node);
        if (status == NfsStatus.Ok && (guard ?? node.Attributes.ChangeTime) != node.Attributes.ChangeTime) status = NfsStatus.NotSync;
        if (status == NfsStatus.Ok && changes.Size > (ulong)Array.MaxLength) status = NfsStatus.FBig;
        change = status == NfsStatus.Ok ? Apply(node, changes) : default;
        return status;
    }

    public NfsStatus Lookup(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Find(directory, NfsFileType.Directory, out Node node);
        directoryAttributes = node.Attributes;
        Node? found = name.SequenceEqual("."u8) ? node : name.SequenceEqual(".."u8) ? node.Parent ?? node
            : node.CookieOf(name.ToArray()) is > 0 and ulong cookie ? node.Entries[cookie].Node : null;
        file = found?.AsFile ?? default;
        return status == NfsStatus.Ok && found is null ? NfsStatus.NoEnt : status;
    }

    public NfsStatus Read(NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Find(file, NfsFileType.Regular, out Node node);
        int start = (int)Math.Min(offset, (ulong)node.Data.Length);
        count = Math.Min(buffer.Length, node.Data.Length - start);
        node.Data.AsSpan(start, count).CopyTo(buffer);
        (isEnd, attributes) = (start + count == node.Data.Length, node.Attributes);
        return status;
    }

    public NfsStatus Write(NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability, out NfsWritten written, out NfsChange change)
    {
        using Lock.Scope scope = _lock.EnterScope();
        (written, change) = (new NfsWritten(data.Length, NfsStability.FileSync, Epoch: 0), default); // Never less stable than it will be.
        NfsStatus status = Find(file, NfsFileType.Regular, out Node node);
        if (status != NfsStatus.Ok) return status;
        if (offset > (ulong)(Array.MaxLength - data.Length)) return NfsStatus.FBig;
        NfsBefore before = NfsBefore.Of(node.Attributes);
        node.Resize(Math.Max(node.Data.Length, (int)offset + data.Length));
        data.CopyTo(node.Data.AsSpan((int)offset));
        change = node.Touch(before);
        return NfsStatus.Ok;
    }

    public NfsStatus Create(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Add(caller, directory, name, NfsFileType.Regular, how.Attributes, out Node node, out directoryChange);
        if (status == NfsStatus.Ok && how.Mode == NfsCreateMode.Exclusive) node.Verifier = how.Verifier;
        bool isTaken = status == NfsStatus.Exist && node.Attributes.Type == NfsFileType.Regular
            && (how.Mode == NfsCreateMode.Unchecked || (how.Mode == NfsCreateMode.Exclusive && node.Verifier == how.Verifier));
        if (isTaken && how.Attributes.Size is { } size) Apply(node, new NfsAttributeChanges { Size = size });
        file = node.AsFile;
        return isTaken ? NfsStatus.Ok : status;
    }

    public NfsStatus MakeDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file, out NfsChange directoryChange)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Add(caller, directory, name, NfsFileType.Directory, attributes, out Node node, out directoryChange);
        file = node.AsFile;
        return status;
    }

    private NfsStatus Add(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, NfsFileType type, in NfsAttributeChanges attributes, out Node node, out NfsChange change)
    {
        change = default;
        NfsStatus status = Find(directory, NfsFileType.Directory, out node);
        if (status != NfsStatus.Ok) return status;
        Node parent = node;
        ulong taken = parent.CookieOf(name.ToArray());
        node = taken > 0 ? parent.Entries[taken].Node : Make(caller, parent, type, attributes);
        if (taken > 0) return NfsStatus.Exist;
        parent.Entries.Add(++_lastNumber, (name.ToArray(), node));
        change = parent.Touch(NfsBefore.Of(parent.Attributes));
        return NfsStatus.Ok;
    }

    public NfsStatus Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) => Drop(directory, name, NfsFileType.Regular, out directoryChange);

    public NfsStatus RemoveDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) => Drop(directory, name, NfsFileType.Directory, out directoryChange);

    private NfsStatus Drop(in NfsHandle directory, ReadOnlySpan<byte> name, NfsFileType type, out NfsChange change)
    {
        using Lock.Scope scope = _lock.EnterScope();
        change = default;
        NfsStatus status = Find(directory, NfsFileType.Directory, out Node parent);
        if (status != NfsStatus.Ok) return status;
        if (parent.CookieOf(name.ToArray()) is not (> 0 and ulong cookie)) return NfsStatus.NoEnt;
        Node node = parent.Entries[cookie].Node;
        if (node.Attributes.Type != type) return type == NfsFileType.Directory ? NfsStatus.NotDir : NfsStatus.IsDir;
        if (node.Entries.Count > 0) return NfsStatus.NotEmpty;
        parent.Entries.Remove(cookie);
        _nodes.Remove(node.Attributes.FileId);
        change = parent.Touch(NfsBefore.Of(parent.Attributes));
        return NfsStatus.Ok;
    }

    public NfsStatus Rename(NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName, out NfsChange fromChange, out NfsChange toChange)
    {
        using Lock.Scope scope = _lock.EnterScope();
        (fromChange, toChange) = (default, default);
        NfsStatus status = Find(fromDirectory, NfsFileType.Directory, out Node from);
        if (status != NfsStatus.Ok || (status = Find(toDirectory, NfsFileType.Directory, out Node to)) != NfsStatus.Ok) return status;
        if (from.CookieOf(fromName.ToArray()) is not (> 0 and ulong cookie)) return NfsStatus.NoEnt;
        Node node = from.Entries[cookie].Node;
        for (Node? above = to; above is not null; above = above.Parent)
            if (above == node) return NfsStatus.Inval; // Into itself.
        if (to.CookieOf(toName.ToArray()) is > 0 and ulong replaced)
        {
            if (to.Entries[replaced].Node == node) return NfsStatus.Ok;
            status = Drop(toDirectory, toName, node.Attributes.Type, out _);
            if (status != NfsStatus.Ok) return status;
        }
        from.Entries.Remove(cookie);
        to.Entries.Add(++_lastNumber, (toName.ToArray(), node));
        node.Parent = to;
        (fromChange, toChange) = (from.Touch(NfsBefore.Of(from.Attributes)), to.Touch(NfsBefore.Of(to.Attributes)));
        return NfsStatus.Ok;
    }

    public NfsStatus ReadDirectory(NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor, out NfsDirectoryRead read)
    {
        using Lock.Scope scope = _lock.EnterScope();
        NfsStatus status = Find(directory, NfsFileType.Directory, out Node node);
        read = new NfsDirectoryRead(Verifier: 0, IsEnd: true, node.Attributes);
        if (status != NfsStatus.Ok) return status;
        IEnumerable<(ulong Cookie, byte[] Name, Node Node)> entries =
            [(1, "."u8.ToArray(), node), (2, ".."u8.ToArray(), node.Parent ?? node), .. node.Entries.Select(entry => (entry.Key, entry.Value.Name, entry.Value.Node))];
        bool isEnd = entries.Where(entry => entry.Cookie > cookie).All(entry => visitor.Visit(
            new NfsDirectoryEntry { Name = entry.Name, FileId = entry.Node.Attributes.FileId, Cookie = entry.Cookie, File = withFiles ? entry.Node.AsFile : null }));
        read = read with { IsEnd = isEnd };
        return NfsStatus.Ok;
    }
}
