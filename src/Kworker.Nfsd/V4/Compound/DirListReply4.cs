using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>dirlist4</c>, RFC 7530 section 16.24: writes a directory's entries into the reply as the file system shows them, until the client's limit is reached.</summary>
internal sealed class DirListReply4 : INfsDirectoryVisitor
{
    /// <summary>Bytes of results without an entry: verifier, end of the list, eof.</summary>
    public const int SmallestSize = sizeof(ulong) + TailSize;

    private const int TailSize = 4 + 4;

    private readonly Nfs4Program _program;
    private readonly CompoundContext _context;
    private readonly XdrWriter _reply;
    private readonly Bitmap4 _asked;
    private readonly int _end; // Where the tail starts at the latest.
    private Fattr4Values _ofFileSystem;
    private bool _isEmpty = true;
    private bool _isFull;

    /// <param name="program">Writes attributes.</param>
    /// <param name="context">The compound; its current object is the directory.</param>
    /// <param name="reply">Stands behind the verifier.</param>
    /// <param name="asked">The attributes to show.</param>
    /// <param name="limit">Where in the reply the results must end.</param>
    public DirListReply4(Nfs4Program program, CompoundContext context, XdrWriter reply, Bitmap4 asked, int limit)
    {
        _program = program;
        _context = context;
        _reply = reply;
        _asked = asked;
        _end = limit - TailSize;
    }

    /// <summary>Whether there are no entries after those that were shown to this.</summary>
    public bool IsEnd { get; set; }

    /// <summary>Asks beforehand for what is the same for all entries: while entries are shown the file system must not be called.</summary>
    public NfsStatus AskAboutFileSystem(in NfsObject directory) => _ofFileSystem.AskAboutFileSystem(directory, _asked);

    public bool Visit(in NfsDirectoryEntry entry)
    {
        if (_isFull)
            return false;
        if (NfsName.IsDotOrDotDot(entry.Name))
            return true; // NFSv4 does not list them.
        Bitmap4 asked = _asked;
        Fattr4Values values = _ofFileSystem;
        var error = Nfsstat4.Ok;
        NfsHandle handle = default;
        if (entry.File is { Attributes: { } attributes } file)
        {
            values.Attributes = attributes;
            values.MountedOnFileId = attributes.FileId;
            handle = file.Handle;
        }
        else if (!asked.IsWithin(Bitmap4.Of(Fattr4Id.FileId, Fattr4Id.RdAttrError)))
        {
            if (!asked.Has(Fattr4Id.RdAttrError))
                return true; // It went away meanwhile, or another file system is mounted there, which is not exported: nobody gets in.
            asked = Bitmap4.Of(Fattr4Id.RdAttrError);
            error = Nfsstat4.Access;
        }
        else
        {
            values.Attributes = new NfsAttributes { FileId = entry.FileId };
        }
        return TryWrite(entry.Name, entry.Cookie, _context.Current, handle, asked, values, error);
    }

    /// <summary>Takes a directory above the exports, or an export's root.</summary>
    public bool Visit(CompoundContext context, PseudoDirectory entry, ulong cookie)
    {
        Nfsstat4 status = Nfs4Program.GetPseudoValues(context, entry, _asked, out NfsObject found, out Fattr4Values values);
        if (status == Nfsstat4.Ok)
            return TryWrite(entry.Name, cookie, found, found.Handle, _asked, values, status);
        return !_asked.Has(Fattr4Id.RdAttrError)
            || TryWrite(entry.Name, cookie, context.Current, default, Bitmap4.Of(Fattr4Id.RdAttrError), values, status);
    }

    /// <summary>Ends the list.</summary>
    /// <returns>OK, or TOOSMALL if not one of the entries fits.</returns>
    public Nfsstat4 Finish()
    {
        bool isEnd = IsEnd && !_isFull;
        if (_isEmpty && !isEnd)
            return _isFull ? Nfsstat4.TooSmall : Nfsstat4.ServerFault; // Neither an entry nor the end: the client would ask for ever.
        _reply.WriteBoolean(false);
        _reply.WriteBoolean(isEnd);
        return Nfsstat4.Ok;
    }

    private bool TryWrite(
        ReadOnlySpan<byte> name, ulong cookie, in NfsObject within, in NfsHandle handle, Bitmap4 asked, in Fattr4Values values, Nfsstat4 error)
    {
        int start = _reply.Position;
        _reply.WriteBoolean(true);
        _reply.WriteUInt64(cookie);
        _reply.WriteOpaque(name);
        _program.WriteEntryAttributes(_context, within, handle, asked, values, error, _reply);
        if (_reply.Position > _end)
        {
            _reply.Position = start;
            _isFull = true;
            return false;
        }
        _isEmpty = false;
        return true;
    }
}
