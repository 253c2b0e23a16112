using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// TEST_STATEID, RFC 8881 section 18.48.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 TestStateid(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        int count = arguments.ReadCount(int.MaxValue, Stateid4.MinimumSize);
        reply.WriteCount(count);
        for (int i = 0; i < count; i++)
            reply.WriteUInt32((uint)_state.Test(context.Client!, Stateid4.Read(ref arguments)));
        return Nfsstat4.Ok;
    }
}
