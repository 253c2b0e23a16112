using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Kworker.Nfsd.Exports;

namespace Kworker.Apps.Nfsd;

/// <summary>The one line that says what is served, where, and how to mount it.</summary>
internal static class StartupLine
{
    public static string Of(IReadOnlyList<IPEndPoint> endPoints, IReadOnlyList<Export> exports, bool hasLocks)
    {
        string served = string.Join(", ", exports.Select(export => $"{export.Path} ({(IsReadOnly(export) ? "ro" : "rw")})"));
        return $"nfsd: listening on {string.Join(" and ", endPoints)}, serving {served}. Mount: {MountCommand(endPoints[0], exports[0].Path, hasLocks)}";
    }

    /// <summary>
    /// A command for Linux that names what nfs(5) would otherwise guess. Without <paramref name="hasLocks"/> it needs neither rpcbind nor lock daemons; nor on
    /// this very machine, where the kernel's own lock manager would want to be the one that rpcbind names.
    /// </summary>
    public static string MountCommand(IPEndPoint endPoint, string path, bool hasLocks)
    {
        string locks = hasLocks && !IPAddress.IsLoopback(endPoint.Address) ? "" : ",nolock";
        string port = endPoint.Port.ToString(CultureInfo.InvariantCulture);
        string source = Quote($"{Host(endPoint.Address)}:{path}");
        return $"mount -t nfs -o vers=3,proto=tcp,port={port},mountport={port},mountproto=tcp{locks} {source} /mnt";
    }

    private static bool IsReadOnly(Export export) => export.Clients.All(client => client.Options.IsReadOnly);

    private static string Host(IPAddress address)
    {
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            return Dns.GetHostName();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
    }

    private static string Quote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || "/.:_-[]+,@".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
