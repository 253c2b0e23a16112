using System.Text;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SETCLIENTID, RFC 7530 section 16.33.
internal sealed partial class Nfs4Program
{
    private const int MaxNetIdLength = 64;
    private const int MaxAddressLength = 256;

    private Nfsstat4 SetClientid(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong verifier = arguments.ReadUInt64();
        var name = new OwnerName(arguments.ReadOpaqueMemory(StateOwner4.MaxLength));
        uint program = arguments.ReadUInt32();
        string netId = Encoding.ASCII.GetString(arguments.ReadOpaque(MaxNetIdLength));
        string address = Encoding.ASCII.GetString(arguments.ReadOpaque(MaxAddressLength));
        var callback = new CallbackAddress(program, netId, address, arguments.ReadUInt32());

        Nfsstat4 status = _state.SetClientId(name, verifier, Principal.Of(context.Call), callback, out NfsClient? client);
        if (status == Nfsstat4.ClidInUse)
        {
            // Who has the name: where it is called back at, as far as it said.
            context.KeepsBody = true;
            reply.WriteOpaque(Encoding.ASCII.GetBytes(client?.Callback?.NetId ?? ""));
            reply.WriteOpaque(Encoding.ASCII.GetBytes(client?.Callback?.Address ?? ""));
            return status;
        }
        if (status != Nfsstat4.Ok)
            return status;
        reply.WriteUInt64(client!.Id);
        reply.WriteUInt64(client.ConfirmVerifier);
        return Nfsstat4.Ok;
    }
}
