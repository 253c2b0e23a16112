using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kworker.SunRpc;

/// <summary>Our own rpcbind: program 100000, versions 2 (portmapper), 3 and 4 (RFC 1833).</summary>
/// <remarks>
/// Changes are taken from this machine only; what was registered from a reserved port, or by this process, is changed from a reserved port
/// only. CALLIT, BCAST and INDIRECT are not there (PROC_UNAVAIL): they let a stranger send calls in this machine's name, and make it an
/// amplifier. Nor are the conversions to and from a local address form, which no client of today asks for.
/// </remarks>
internal sealed class RpcbindService(RpcbindTable table, TimeProvider clock)
{
    private const int FirstOrdinaryPort = 1024;
    private const uint ConnectionlessSemantics = 1; // NC_TPI_CLTS
    private const uint OrderedStreamSemantics = 3; // NC_TPI_COTS_ORD

    public RpcProgram CreateProgram()
    {
        const RpcProcedureFlags idempotent = RpcProcedureFlags.Idempotent;
        RpcProgram program = new RpcProgram(RpcbindProtocol.Program, "rpcbind")
            .Procedure<PortmapMapping, RpcbindBoolean>(RpcbindProtocol.Portmap, RpcbindProtocol.Set, "SET", SetPort)
            .Procedure<PortmapMapping, RpcbindBoolean>(RpcbindProtocol.Portmap, RpcbindProtocol.Unset, "UNSET", UnsetPort)
            .Procedure<PortmapMapping, RpcbindNumber>(RpcbindProtocol.Portmap, RpcbindProtocol.GetAddress, "GETPORT", GetPort, idempotent)
            .Procedure<XdrVoid, PortmapList>(RpcbindProtocol.Portmap, RpcbindProtocol.Dump, "DUMP", DumpPorts, idempotent);
        foreach (uint version in (uint[])[RpcbindProtocol.Version3, RpcbindProtocol.Version4])
        {
            program
                .Procedure<RpcbindMapping, RpcbindBoolean>(version, RpcbindProtocol.Set, "SET", Set)
                .Procedure<RpcbindMapping, RpcbindBoolean>(version, RpcbindProtocol.Unset, "UNSET", Unset)
                .Procedure<RpcbindMapping, RpcbindAddress>(version, RpcbindProtocol.GetAddress, "GETADDR", GetAddress, idempotent)
                .Procedure<XdrVoid, RpcbindList>(version, RpcbindProtocol.Dump, "DUMP", Dump, idempotent)
                .Procedure<XdrVoid, RpcbindNumber>(version, RpcbindProtocol.GetTime, "GETTIME", GetTime, idempotent);
        }
        return program
            .Procedure<RpcbindMapping, RpcbindAddress>(
                RpcbindProtocol.Version4, RpcbindProtocol.GetVersionAddress, "GETVERSADDR", GetVersionAddress, idempotent)
            .Procedure<RpcbindMapping, RpcbindEntryList>(
                RpcbindProtocol.Version4, RpcbindProtocol.GetAddressList, "GETADDRLIST", GetAddressList, idempotent);
    }

    private RpcbindBoolean SetPort(RpcCall call, PortmapMapping mapping)
    {
        if (NetId.OfProtocol(mapping.Protocol) is not { } netId || mapping.Port > IPEndPoint.MaxPort)
            return new RpcbindBoolean(false);
        var endPoint = new IPEndPoint(IPAddress.Any, (int)mapping.Port);
        return new RpcbindBoolean(Set(call, new RpcbindRecord(mapping.Program, mapping.Version, netId, endPoint, Owner(call))));
    }

    private RpcbindBoolean UnsetPort(RpcCall call, PortmapMapping mapping)
    {
        bool removed = false;
        foreach (string netId in (string[])[NetId.Tcp, NetId.Udp])
            removed |= IsLocal(call) && table.Unset(mapping.Program, mapping.Version, netId, Owner(call));
        return new RpcbindBoolean(removed);
    }

    private RpcbindNumber GetPort(RpcCall call, PortmapMapping mapping)
    {
        string? netId = NetId.OfProtocol(mapping.Protocol);
        RpcbindRecord? record = netId is null ? null : table.Find(mapping.Program, mapping.Version, netId, exact: false);
        return new RpcbindNumber((uint)(record?.EndPoint.Port ?? 0));
    }

    private PortmapList DumpPorts(RpcCall call, XdrVoid arguments) => new([.. table.List()
        .Where(record => NetId.Family(record.NetId) == AddressFamily.InterNetwork)
        .Select(record => new PortmapMapping(record.Program, record.Version, (uint)NetId.Transport(record.NetId), (uint)record.EndPoint.Port))]);

    private RpcbindBoolean Set(RpcCall call, RpcbindMapping mapping)
    {
        string netId = Encoding.ASCII.GetString(mapping.NetId);
        if (!UniversalAddress.TryParse(mapping.Address, out IPEndPoint? endPoint) || NetId.Family(netId) != endPoint!.AddressFamily)
            return new RpcbindBoolean(false);
        return new RpcbindBoolean(Set(call, new RpcbindRecord(mapping.Program, mapping.Version, netId, endPoint, Owner(call))));
    }

    private RpcbindBoolean Unset(RpcCall call, RpcbindMapping mapping)
    {
        string? netId = mapping.NetId.Length == 0 ? null : Encoding.ASCII.GetString(mapping.NetId);
        return new RpcbindBoolean(IsLocal(call) && table.Unset(mapping.Program, mapping.Version, netId, Owner(call)));
    }

    private RpcbindAddress GetAddress(RpcCall call, RpcbindMapping mapping) => Find(call, mapping, exact: false);

    private RpcbindAddress GetVersionAddress(RpcCall call, RpcbindMapping mapping) => Find(call, mapping, exact: true);

    // The transport is that of the call, whatever the argument says (RFC 1833, 2.2.1).
    private RpcbindAddress Find(RpcCall call, RpcbindMapping mapping, bool exact)
    {
        string netId = NetId.Of(call.Transport, call.RemoteEndPoint.AddressFamily);
        return new RpcbindAddress(table.Find(mapping.Program, mapping.Version, netId, exact) is { } record ? Reachable(call, record) : []);
    }

    private RpcbindList Dump(RpcCall call, XdrVoid arguments) => new([.. table.List()
        .Select(record => new RpcbindMapping(
            record.Program, record.Version, Encoding.ASCII.GetBytes(record.NetId), UniversalAddress.Format(record.EndPoint),
            Encoding.ASCII.GetBytes(record.Owner)))]);

    private RpcbindNumber GetTime(RpcCall call, XdrVoid arguments) => new((uint)clock.GetUtcNow().ToUnixTimeSeconds());

    private RpcbindEntryList GetAddressList(RpcCall call, RpcbindMapping mapping) => new([.. table.List()
        .Where(record => record.Program == mapping.Program && record.Version == mapping.Version &&
            NetId.Family(record.NetId) == call.RemoteEndPoint.AddressFamily)
        .Select(record => Entry(call, record))]);

    private static RpcbindEntry Entry(RpcCall call, RpcbindRecord record)
    {
        bool udp = NetId.Transport(record.NetId) == RpcTransport.Udp;
        return new RpcbindEntry(
            Reachable(call, record),
            Encoding.ASCII.GetBytes(record.NetId),
            udp ? ConnectionlessSemantics : OrderedStreamSemantics,
            NetId.Family(record.NetId) == AddressFamily.InterNetworkV6 ? "inet6"u8.ToArray() : "inet"u8.ToArray(),
            udp ? "udp"u8.ToArray() : "tcp"u8.ToArray());
    }

    // A server on every address is reached by the one that the caller used.
    private static byte[] Reachable(RpcCall call, RpcbindRecord record)
    {
        bool any = record.EndPoint.Address.Equals(IPAddress.Any) || record.EndPoint.Address.Equals(IPAddress.IPv6Any);
        return UniversalAddress.Format(any ? new IPEndPoint(call.LocalEndPoint.Address, record.EndPoint.Port) : record.EndPoint);
    }

    private bool Set(RpcCall call, RpcbindRecord record)
    {
        // A user may not point others at a reserved port, which he could not have bound.
        bool allowed = record.EndPoint.Port >= (record.Owner == RpcbindRecord.Superuser ? 1 : FirstOrdinaryPort);
        return allowed && IsLocal(call) && table.Set(record);
    }

    private static bool IsLocal(RpcCall call) => IPAddress.IsLoopback(call.RemoteEndPoint.Address);

    private static string Owner(RpcCall call) =>
        call.RemoteEndPoint.Port < FirstOrdinaryPort ? RpcbindRecord.Superuser : RpcbindRecord.Unknown;
}
