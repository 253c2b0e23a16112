using System.Net;

namespace Kworker.SunRpc;

/// <summary>Where one version of one program is reached over one transport, and whose it is.</summary>
internal sealed record RpcbindRecord(uint Program, uint Version, string NetId, IPEndPoint EndPoint, string Owner)
{
    /// <summary>The owner of what was registered from a reserved port, or by this process.</summary>
    public const string Superuser = "superuser";

    /// <summary>The owner of what anybody else on this machine registered.</summary>
    public const string Unknown = "unknown";
}
