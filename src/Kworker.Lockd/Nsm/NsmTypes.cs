using Kworker.SunRpc;

namespace Kworker.Lockd.Nsm;

// The types of sm_inter.x. Names are bytes; what is kept of them is a character for each (Latin-1).

/// <summary><c>res</c>.</summary>
[Xdr]
internal enum NsmResult
{
    Success = 0,
    Failure = 1,
}

/// <summary><c>sm_name</c>.</summary>
[Xdr]
internal readonly partial record struct NsmName([XdrMax(NsmProtocol.MaximumName)] byte[] MonName);

/// <summary><c>my_id</c>: whom to call when the host has rebooted.</summary>
[Xdr]
internal readonly partial record struct NsmMyId([XdrMax(NsmProtocol.MaximumName)] byte[] MyName, uint MyProgram, uint MyVersion, uint MyProcedure);

/// <summary><c>mon_id</c>.</summary>
[Xdr]
internal readonly partial record struct NsmMonId([XdrMax(NsmProtocol.MaximumName)] byte[] MonName, NsmMyId MyId);

/// <summary><c>mon</c>.</summary>
[Xdr]
internal readonly partial record struct NsmMon(NsmMonId MonId, [XdrFixed(NsmProtocol.PrivateLength)] byte[] Private);

/// <summary><c>stat_chge</c>: a host's new state.</summary>
[Xdr]
internal readonly partial record struct NsmStateChange([XdrMax(NsmProtocol.MaximumName)] byte[] MonName, int State);

/// <summary><c>sm_stat</c>.</summary>
[Xdr]
internal readonly partial record struct NsmState(int State);

/// <summary><c>sm_stat_res</c>.</summary>
[Xdr]
internal readonly partial record struct NsmStatResult(NsmResult Result, int State);

/// <summary><c>status</c>: what a monitor is told.</summary>
[Xdr]
internal readonly partial record struct NsmStatus(
    [XdrMax(NsmProtocol.MaximumName)] byte[] MonName, int State, [XdrFixed(NsmProtocol.PrivateLength)] byte[] Private);
