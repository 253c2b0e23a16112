namespace Kworker.SunRpc;

/// <summary>The numbers of rpcbind (RFC 1833).</summary>
internal static class RpcbindProtocol
{
    public const uint Program = 100000;
    public const uint Portmap = 2; // version 2 is the older portmapper
    public const uint Version3 = 3;
    public const uint Version4 = 4;

    public const uint Null = 0;
    public const uint Set = 1;
    public const uint Unset = 2;
    public const uint GetAddress = 3; // GETPORT in version 2
    public const uint Dump = 4;
    public const uint GetTime = 6;
    public const uint GetVersionAddress = 9;
    public const uint GetAddressList = 11;

    /// <summary>The longest netid, address or owner that we take, in bytes.</summary>
    public const int MaximumString = 128;
}

/// <summary><c>struct mapping</c>.</summary>
[Xdr]
internal readonly partial record struct PortmapMapping(uint Program, uint Version, uint Protocol, uint Port);

/// <summary><c>pmaplist</c>.</summary>
[Xdr]
internal readonly partial record struct PortmapList([XdrList] PortmapMapping[] Mappings);

/// <summary>A number by itself: a port, or seconds since 1970.</summary>
[Xdr]
internal readonly partial record struct RpcbindNumber(uint Value);

/// <summary>A bool by itself.</summary>
[Xdr]
internal readonly partial record struct RpcbindBoolean(bool Value);

/// <summary>A universal address by itself; empty for "none".</summary>
[Xdr]
internal readonly partial record struct RpcbindAddress([XdrMax(RpcbindProtocol.MaximumString)] byte[] Text);

/// <summary><c>rpcb</c>.</summary>
[Xdr]
internal readonly partial record struct RpcbindMapping(
    uint Program,
    uint Version,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] NetId,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] Address,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] Owner);

/// <summary><c>rpcblist</c>.</summary>
[Xdr]
internal readonly partial record struct RpcbindList([XdrList] RpcbindMapping[] Mappings);

/// <summary><c>rpcb_entry</c>.</summary>
[Xdr]
internal readonly partial record struct RpcbindEntry(
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] Address,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] NetId,
    uint Semantics,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] Family,
    [XdrMax(RpcbindProtocol.MaximumString)] byte[] Protocol);

/// <summary><c>rpcb_entry_list</c>.</summary>
[Xdr]
internal readonly partial record struct RpcbindEntryList([XdrList] RpcbindEntry[] Entries);
