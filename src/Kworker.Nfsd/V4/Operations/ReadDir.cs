using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// READDIR, RFC 7530 section 16.24, RFC 8881 section 18.23.
internal sealed partial class Nfs4Program
{
    /// <summary>What READDIR says of an entry without opening the file.</summary>
    private static readonly Bitmap4 s_ofEntry = Bitmap4.Of(Fattr4Id.FileId, Fattr4Id.RdAttrError);

    private Nfsstat4 ReadDir(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong cookie = arguments.ReadUInt64();
        ulong verifier = arguments.ReadUInt64();
        arguments.ReadUInt32(); // dircount: a hint, and an old one.
        uint maxCount = arguments.ReadUInt32();
        Bitmap4 asked = Bitmap4.Read(ref arguments);
        if (Fattr4.HasWriteOnly(asked))
            return Nfsstat4.Inval;
        if (cookie is 1 or 2 || (cookie == 0 && verifier != 0))
            return Nfsstat4.BadCookie; // 1 and 2 are nobody's: "." and ".." in earlier versions.

        int room = (int)Math.Min(Math.Min(maxCount, _maxTransfer), (uint)Math.Max(reply.Available - Slack, 0));
        if (room < DirListReply4.SmallestSize)
            return Nfsstat4.TooSmall;
        Bitmap4 readable = Fattr4.Readable(context.MinorVersion, asked);
        int start = reply.Position;
        reply.WriteUInt64(0); // The verifier, when it is known.
        var list = new DirListReply4(this, context, reply, readable, start + room);
        Nfsstat4 status = context.Tree.TryGet(context.Current, out PseudoDirectory pseudo)
            ? ListPseudo(context, pseudo, cookie, list)
            : List(context, cookie, verifier, readable, list, start, reply);
        return status == Nfsstat4.Ok ? list.Finish() : status;
    }

    private static Nfsstat4 List(
        CompoundContext context, ulong cookie, ulong verifier, Bitmap4 readable, DirListReply4 list, int start, XdrWriter reply)
    {
        NfsObject directory = context.Current;
        bool withFiles = !readable.IsWithin(s_ofEntry);
        NfsStatus status = withFiles ? list.AskAboutFileSystem(directory) : NfsStatus.Ok;
        if (status == NfsStatus.Ok && withFiles && !readable.Has(Fattr4Id.RdAttrError))
        {
            // Whose attributes may not be had must be told somehow: here, for the whole (RFC 7530 section 16.24.4).
            status = directory.FileSystem.Access(directory.Caller, directory.Handle, NfsAccess.Lookup, out NfsAccess granted, out NfsAttributes? given);
            if (status == NfsStatus.Ok && (granted & NfsAccess.Lookup) == 0 && directory.Complete(given) is { Type: NfsFileType.Directory })
                status = NfsStatus.Acces;
        }
        NfsDirectoryRead read = default;
        if (status == NfsStatus.Ok)
            status = directory.FileSystem.ReadDirectory(directory.Caller, directory.Handle, cookie, verifier, withFiles, list, out read);
        if (status != NfsStatus.Ok)
            return status == NfsStatus.TooSmall ? Nfsstat4.TooSmall : Nfs4Errors.Of(status);
        list.IsEnd = read.IsEnd;
        int end = reply.Position;
        reply.Position = start;
        reply.WriteUInt64(read.Verifier);
        reply.Position = end;
        return Nfsstat4.Ok;
    }

    /// <summary>Cookies are places in the list, which is the same until something else is exported.</summary>
    private static Nfsstat4 ListPseudo(CompoundContext context, PseudoDirectory directory, ulong cookie, DirListReply4 list)
    {
        const int firstCookie = 3;
        list.IsEnd = true;
        int from = cookie == 0 ? 0 : (int)Math.Min(cookie - firstCookie + 1, int.MaxValue);
        for (int i = from; i < directory.Children.Count; i++)
        {
            PseudoDirectory child = directory.Children[i];
            if (!child.IsVisibleTo(context.Call.RemoteEndPoint.Address))
                continue;
            if (!list.Visit(context, child, (ulong)(i + firstCookie)))
                break;
        }
        return Nfsstat4.Ok;
    }

    /// <summary>The entry of a directory above the exports: the root of an export with its own attributes, or another such directory.</summary>
    internal static Nfsstat4 GetPseudoValues(CompoundContext context, PseudoDirectory entry, Bitmap4 asked, out NfsObject found, out Fattr4Values values)
    {
        values = default;
        Nfsstat4 status = context.Tree.Enter(context, entry, out found);
        return status == Nfsstat4.Ok ? Nfs4Errors.Of(GetValues(context, found, asked, out values)) : status;
    }

    /// <summary>As <see cref="WriteAttributes"/>, for <see cref="DirListReply4"/>.</summary>
    internal void WriteEntryAttributes(
        CompoundContext context, in NfsObject within, in NfsHandle handle, Bitmap4 asked, in Fattr4Values values, Nfsstat4 error, XdrWriter reply) =>
        WriteAttributes(context, within, handle, asked, values, error, reply);
}
