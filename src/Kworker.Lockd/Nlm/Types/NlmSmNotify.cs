using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

/// <summary>The arguments of SM_NOTIFY, private between a machine's NSM and its NLM: NSM's <c>status</c>.</summary>
/// <param name="MonitoredName">The host that rebooted, by the name that was monitored.</param>
/// <param name="State">Its new state; odd when it is up.</param>
/// <param name="Private">What was given to SM_MON.</param>
[Xdr]
internal readonly partial record struct NlmSmNotify(
    [XdrMax(NlmProtocol.MaximumName)] ReadOnlyMemory<byte> MonitoredName, int State, [XdrFixed(NlmProtocol.PrivateLength)] byte[] Private);
