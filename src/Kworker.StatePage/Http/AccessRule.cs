using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Kworker.StatePage;

/// <summary>
/// Who may see the page while no authorization is required: this machine, which asked for this machine. The second part is against names of strangers that are made to point here (DNS
/// rebinding): a browser of this machine would let their scripts read what it gets.
/// </summary>
internal static class AccessRule
{
    private static readonly string[] s_forwarding = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"];

    /// <returns>Why not; null when it may be seen.</returns>
    public static string? Refuse(HttpContext context, StatePageOptions options)
    {
        if (options.IsGuarded || RequiresAuthorization(context.GetEndpoint()))
            return null;
        // No address: a socket of this machine's file system, or a server in memory.
        if (context.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote))
            return "The state page is for this machine alone, unless authorization is required of those who ask for it: MapKworker(…).RequireAuthorization().";
        if (s_forwarding.Any(context.Request.Headers.ContainsKey))
            return "The state page is for this machine alone, and a proxy asks for somebody else. With authorization it may: MapKworker(…).RequireAuthorization().";
        if (!IsLocal(context.Request.Host.Host) && !options.AllowedHosts.Contains(context.Request.Host.Host, StringComparer.OrdinalIgnoreCase))
            return "The state page is to be asked for as localhost, or by a name in StatePageOptions.AllowedHosts.";
        return null;
    }

    // That it was required is looked at by the framework's middleware, and by the framework that this middleware is there.
    private static bool RequiresAuthorization(Endpoint? endpoint) =>
        endpoint?.Metadata.GetMetadata<IAuthorizeData>() is not null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null;

    private static bool IsLocal(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
