using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// BIND_CONN_TO_SESSION, RFC 8881 section 18.34.
internal sealed partial class Nfs4Program
{
    /// <summary><c>CDFC4_*</c>: which channels a client wants the connection for.</summary>
    private enum ChannelWish : uint
    {
        Fore = 1,
        Back = 2,
        ForeOrBoth = 3,
        BackOrBoth = 7,
    }

    private Nfsstat4 BindConnToSession(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        const uint both = 3;
        Sessionid4 id = Sessionid4.Read(ref arguments);
        var wish = (ChannelWish)arguments.ReadUInt32();
        arguments.ReadBoolean(); // RDMA
        if (wish is not (ChannelWish.Fore or ChannelWish.Back or ChannelWish.ForeOrBoth or ChannelWish.BackOrBoth))
            return Nfsstat4.BadXdr;
        if (!_state.TryFindSession(id, out Session session))
            return Nfsstat4.BadSession;
        if (session.Client.Principal != Principal.Of(context.Call))
            return Nfsstat4.WrongCred;
        if (!_state.Revive(session.Client))
            return Nfsstat4.BadSession;
        // Any connection may carry requests (there is no state protection here): only what it is to carry besides is kept.
        if (wish != ChannelWish.Fore && context.Call.Connection is { } connection)
            session.Bind(connection);
        id.Write(reply);
        reply.WriteUInt32(wish is ChannelWish.Fore or ChannelWish.Back ? (uint)wish : both);
        reply.WriteBoolean(false);
        return Nfsstat4.Ok;
    }
}
