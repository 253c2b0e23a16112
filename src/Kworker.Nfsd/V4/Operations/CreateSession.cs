using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// CREATE_SESSION, RFC 8881 section 18.36.
internal sealed partial class Nfs4Program
{
    private const uint CreateSessionAllowed = 7; // PERSIST, CONN_BACK_CHAN, CONN_RDMA
    private const int MaxSecurityParameters = 8;

    private Nfsstat4 CreateSession(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong id = arguments.ReadUInt64();
        uint sequence = arguments.ReadUInt32();
        uint flags = arguments.ReadUInt32();
        ChannelLimits fore = ReadChannel(ref arguments);
        ChannelLimits back = ReadChannel(ref arguments);
        uint program = arguments.ReadUInt32();
        RpcCredential? credential = ReadCallbackSecurity(ref arguments);
        if ((flags & ~CreateSessionAllowed) != 0)
            return Nfsstat4.Inval;
        if (credential is null)
            return Nfsstat4.EncrAlgUnsupp;

        Nfsstat4 status = _state.CreateSession(
            id, sequence, flags, fore, back, program, credential, Principal.Of(context.Call), out CreatedSession? created, out Session? session);
        if (status != Nfsstat4.Ok)
            return status;
        if (session is { HasBackChannel: true } && context.Call.Connection is { } connection)
            session.Bind(connection);
        created!.Id.Write(reply);
        reply.WriteUInt32(created.Sequence);
        reply.WriteUInt32(created.Flags);
        WriteChannel(reply, created.Fore);
        WriteChannel(reply, created.Back);
        return Nfsstat4.Ok;
    }

    private static ChannelLimits ReadChannel(ref XdrReader arguments)
    {
        var limits = new ChannelLimits(
            arguments.ReadUInt32(), arguments.ReadUInt32(), arguments.ReadUInt32(), arguments.ReadUInt32(), arguments.ReadUInt32(), arguments.ReadUInt32());
        if (arguments.ReadCount(1, sizeof(uint)) > 0)
            arguments.ReadUInt32(); // RDMA's
        return limits;
    }

    private static void WriteChannel(XdrWriter reply, in ChannelLimits limits)
    {
        reply.WriteUInt32(limits.HeaderPadding);
        reply.WriteUInt32(limits.MaxRequest);
        reply.WriteUInt32(limits.MaxResponse);
        reply.WriteUInt32(limits.MaxResponseCached);
        reply.WriteUInt32(limits.MaxOperations);
        reply.WriteUInt32(limits.MaxRequests);
        reply.WriteCount(0);
    }

    /// <summary>Reads <c>callback_sec_parms4</c>: how the server is to show itself on the back channel.</summary>
    /// <returns>The first that we can do; null if there is none. Who says nothing gets AUTH_NONE, as with Linux.</returns>
    private static RpcCredential? ReadCallbackSecurity(ref XdrReader arguments)
    {
        int count = arguments.ReadCount(MaxSecurityParameters, sizeof(uint));
        RpcCredential? chosen = count == 0 ? RpcCredential.None : null;
        for (int i = 0; i < count; i++)
        {
            switch (arguments.ReadUInt32())
            {
                case 0:
                    chosen ??= RpcCredential.None;
                    break;
                case 1:
                    arguments.ReadUInt32();
                    string machine = global::System.Text.Encoding.Latin1.GetString(arguments.ReadOpaque(255));
                    uint uid = arguments.ReadUInt32();
                    uint gid = arguments.ReadUInt32();
                    uint[] groups = new uint[arguments.ReadCount(16, sizeof(uint))];
                    for (int j = 0; j < groups.Length; j++)
                        groups[j] = arguments.ReadUInt32();
                    chosen ??= RpcCredential.Sys(uid, gid, groups, machine);
                    break;
                case 6:
                    arguments.ReadUInt32();
                    arguments.ReadOpaque();
                    arguments.ReadOpaque();
                    break;
                default:
                    arguments.ThrowInvalid("rpc_auth_flavor", 0);
                    break;
            }
        }
        return chosen;
    }
}
