using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// VERIFY, RFC 7530 section 16.35, RFC 8881 section 18.31.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Verify(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Compare(context, ref arguments, reply);
        return status == Nfsstat4.Same ? Nfsstat4.Ok : status;
    }

    /// <summary>Compares attributes that the client sends with the file's: SAME, NOTSAME or what is wrong.</summary>
    private Nfsstat4 Compare(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Bitmap4 given = Bitmap4.Read(ref arguments);
        ReadOnlySpan<byte> theirs = arguments.ReadOpaque();
        if (!given.IsWithin(Fattr4.Supported(context.MinorVersion)))
            return Nfsstat4.AttrNotSupp;
        if (Fattr4.HasWriteOnly(given) || given.Has(Fattr4Id.RdAttrError))
            return Nfsstat4.Inval;
        NfsStatus status = GetValues(context, context.Current, given, out Fattr4Values values);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        // Both have one form on the wire: the values are written, compared, and taken back.
        int start = reply.Position;
        WriteValues(context, context.Current, context.Current.Handle, given, values, Nfsstat4.Ok, reply);
        bool isSame = theirs.SequenceEqual(reply.Written.Span[start..]);
        reply.Position = start;
        return isSame ? Nfsstat4.Same : Nfsstat4.NotSame;
    }
}
