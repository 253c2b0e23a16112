using System.Text;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// EXCHANGE_ID, RFC 8881 section 18.35.
internal sealed partial class Nfs4Program
{
    private const uint ExchangeUpdate = 0x40000000; // EXCHGID4_FLAG_UPD_CONFIRMED_REC_A
    private const uint ExchangeConfirmed = 0x80000000; // EXCHGID4_FLAG_CONFIRMED_R
    private const uint ExchangeNoPnfs = 0x00010000; // EXCHGID4_FLAG_USE_NON_PNFS
    private const uint ExchangeAllowed = 0x40070103; // what a client may send
    private const int MaxBitmapWords = 8;
    private const int MaxImplementationName = 1024;

    private enum StateProtection : uint
    {
        None = 0,
        MachineCredential = 1,
        SharedSecret = 2,
    }

    private Nfsstat4 ExchangeId(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong verifier = arguments.ReadUInt64();
        var name = new OwnerName(arguments.ReadOpaqueMemory(StateOwner4.MaxLength));
        uint flags = arguments.ReadUInt32();
        var protection = (StateProtection)arguments.ReadUInt32();
        if (protection > StateProtection.SharedSecret)
            return Nfsstat4.BadXdr;
        if ((flags & ~ExchangeAllowed) != 0)
            return Nfsstat4.Inval;
        // Both need more than AUTH_SYS, which is all there is here.
        if (protection == StateProtection.SharedSecret)
            return Nfsstat4.EncrAlgUnsupp;
        if (protection == StateProtection.MachineCredential)
        {
            SkipBitmap(ref arguments);
            SkipBitmap(ref arguments);
        }
        if (arguments.ReadCount(1, 1) > 0)
        {
            arguments.ReadOpaque(MaxImplementationName);
            arguments.ReadOpaque(MaxImplementationName);
            NfsTime4.Read(ref arguments);
        }
        if (protection == StateProtection.MachineCredential)
            return Nfsstat4.Inval;

        Nfsstat4 status = _state.ExchangeId(name, verifier, Principal.Of(context.Call), (flags & ExchangeUpdate) != 0, out NfsClient? client);
        if (status != Nfsstat4.Ok)
            return status;
        reply.WriteUInt64(client!.Id);
        reply.WriteUInt32(unchecked(client.CreateSequence + 1));
        reply.WriteUInt32(ExchangeNoPnfs | (client.IsConfirmed ? ExchangeConfirmed : 0));
        reply.WriteUInt32((uint)StateProtection.None);
        // The owner: two addresses of one server tell by it that they are one. Servers of one machine differ by their port.
        byte[] server = Encoding.UTF8.GetBytes($"{Environment.MachineName}:{context.Call.LocalEndPoint.Port}");
        reply.WriteUInt64(0);
        reply.WriteOpaque(server);
        reply.WriteOpaque(server);
        reply.WriteCount(0);
        return Nfsstat4.Ok;
    }

    private static void SkipBitmap(ref XdrReader arguments)
    {
        int words = arguments.ReadCount(MaxBitmapWords, sizeof(uint));
        for (int i = 0; i < words; i++)
            arguments.ReadUInt32();
    }
}
