using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

/// <summary>
/// <c>dirlist3</c> and <c>dirlistplus3</c>, RFC 1813 sections 3.3.16 and 3.3.17: writes a directory's entries into the reply as the file
/// system shows them, until the client's limits are reached.
/// </summary>
internal sealed class DirListReply : INfsDirectoryVisitor
{
    /// <summary>Bytes of results without an entry: attributes, cookie verifier, end of the list, eof.</summary>
    public const int SmallestSize = PostOpAttr.FullSize + sizeof(ulong) + TailSize;

    private const int TailSize = 4 + 4;

    private readonly Nfs3Program _program;
    private readonly NfsObject _directory;
    private readonly XdrWriter _reply;
    private readonly int _end; // Where the tail starts at the latest.
    private readonly uint? _nameLimit;
    private uint _nameBytes;
    private bool _isEmpty = true;
    private bool _isFull;

    /// <param name="program">Seals handles.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="reply">Stands behind the reply's head.</param>
    /// <param name="limit">Bytes that the results may take without the status, at least <see cref="SmallestSize"/>.</param>
    /// <param name="nameLimit">READDIRPLUS: bytes that names, file ids and cookies may take; null for READDIR.</param>
    public DirListReply(Nfs3Program program, in NfsObject directory, XdrWriter reply, int limit, uint? nameLimit)
    {
        _program = program;
        _directory = directory;
        _reply = reply;
        _end = reply.Position + limit - SmallestSize;
        _nameLimit = nameLimit;
    }

    public bool Visit(in NfsDirectoryEntry entry)
    {
        int start = _reply.Position;
        // The first entry always fits the limit on names: a client that asks for none at all would never get on.
        uint nameBytes = (uint)(sizeof(ulong) + sizeof(uint) + Padded(entry.Name.Length) + sizeof(ulong));
        bool fits = !_isFull && (_nameLimit is null || _isEmpty || _nameBytes + nameBytes <= _nameLimit)
            && sizeof(uint) + nameBytes <= _end - start;
        if (fits)
        {
            _reply.WriteBoolean(true);
            _reply.WriteUInt64(entry.FileId);
            _reply.WriteOpaque(entry.Name);
            _reply.WriteUInt64(entry.Cookie);
            if (_nameLimit is not null)
                fits = TryWriteFile(entry);
        }
        if (!fits)
        {
            _reply.Position = start;
            _isFull = true;
            return false;
        }
        _nameBytes += nameBytes;
        _isEmpty = false;
        return true;
    }

    /// <summary>Ends the list.</summary>
    /// <param name="isEnd">Whether the file system has shown all entries.</param>
    /// <returns>OK, or TOOSMALL if not one of them fits.</returns>
    public NfsStatus Finish(bool isEnd)
    {
        isEnd &= !_isFull;
        if (_isEmpty && !isEnd)
            return _isFull ? NfsStatus.TooSmall : NfsStatus.ServerFault; // Neither an entry nor the end: the client would ask for ever.
        _reply.WriteBoolean(false);
        _reply.WriteBoolean(isEnd);
        return NfsStatus.Ok;
    }

    private bool TryWriteFile(in NfsDirectoryEntry entry)
    {
        PostOpAttr attributes = default;
        PostOpFh3 handle = default;
        if (entry.File is { } file)
        {
            attributes = PostOpAttr.From(file.Attributes);
            handle = new PostOpFh3(_program.Seal(_directory, file.Handle));
        }
        int size = (attributes.Attributes is null ? 4 : PostOpAttr.FullSize)
            + (handle.Handle is { } known ? 4 + 4 + Padded(known.Bytes.Length) : 4);
        if (size > _end - _reply.Position)
            return false;
        attributes.Write(_reply);
        handle.Write(_reply);
        return true;
    }

    private static int Padded(int length) => (length + 3) & ~3;
}
