namespace Kworker.Nfsd.State;

/// <summary>4.0: where a client wants to be called back (<c>cb_client4</c>, <c>callback_ident</c>).</summary>
/// <param name="Program">Its RPC program number.</param>
/// <param name="NetId">As rpcbind names the transport.</param>
/// <param name="Address">A universal address.</param>
/// <param name="Ident">What the client wants to hear with each call.</param>
internal sealed record CallbackAddress(uint Program, string NetId, string Address, uint Ident);
