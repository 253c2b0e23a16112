using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// ACCESS, RFC 7530 section 16.1, RFC 8881 section 18.1.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 Access(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        const NfsAccess all = NfsAccess.Read | NfsAccess.Lookup | NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete | NfsAccess.Execute;
        const NfsAccess changing = NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete;
        // RFC 8276 section 8.5: whoever may read a file, or write it, may do so with its extended attributes.
        const uint xattrRead = 0x40, xattrWrite = 0x80, xattrList = 0x100;
        uint bits = arguments.ReadUInt32();
        uint xattr = context.MinorVersion >= 2 ? bits & (xattrRead | xattrWrite | xattrList) : 0;
        if ((bits & ~(uint)all & ~xattr) != 0)
            return Nfsstat4.Inval;
        NfsAccess wanted = (NfsAccess)bits & all;
        NfsAccess requested = wanted;
        if ((xattr & (xattrRead | xattrList)) != 0)
            requested |= NfsAccess.Read;
        if ((xattr & xattrWrite) != 0)
            requested |= NfsAccess.Modify;
        NfsObject file = context.Current;
        NfsStatus status = file.FileSystem.Access(file.Caller, file.Handle, requested, out NfsAccess granted, out NfsAttributes? given);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        NfsAccess supported = file.Complete(given) is { Type: NfsFileType.Directory } ? all & ~NfsAccess.Execute : all & ~(NfsAccess.Lookup | NfsAccess.Delete);
        if (file.CheckWritable() != NfsStatus.Ok)
            granted &= ~changing;
        uint xattrGranted = ((granted & NfsAccess.Read) != 0 ? xattrRead | xattrList : 0) | ((granted & NfsAccess.Modify) != 0 ? xattrWrite : 0);
        reply.WriteUInt32((uint)(wanted & supported) | xattr);
        reply.WriteUInt32((uint)(granted & wanted & supported) | (xattr & xattrGranted));
        return Nfsstat4.Ok;
    }
}
