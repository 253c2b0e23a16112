using Kworker.SunRpc;

namespace Kworker.Nfsd.State;

/// <summary>As whom a client speaks: another may not take its place (RFC 7530 section 9.1.2, RFC 8881 section 2.10.8.3).</summary>
internal readonly record struct Principal(RpcAuthFlavor Flavor, uint Uid, uint Gid)
{
    /// <summary>The caller of a call.</summary>
    public static Principal Of(RpcCall call) => call.Sys is { } sys ? new Principal(call.Flavor, sys.Uid, sys.Gid) : new Principal(call.Flavor, 0, 0);
}
