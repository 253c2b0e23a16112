using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SECINFO, RFC 7530 section 16.31, RFC 8881 section 18.29.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 SecInfo(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> name);
        if (status != Nfsstat4.Ok)
            return status;
        status = Find(context, name, out _, out _);
        return status == Nfsstat4.Ok ? WriteFlavors(context, reply) : status;
    }

    private static Nfsstat4 WriteFlavors(CompoundContext context, XdrWriter reply)
    {
        reply.WriteCount(1);
        reply.WriteUInt32((uint)RpcAuthFlavor.Sys);
        if (context.MinorVersion > 0)
            context.ClearCurrent();
        return Nfsstat4.Ok;
    }
}
