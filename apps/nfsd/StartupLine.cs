using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Kworker.Nfsd;
using Kworker.Nfsd.Exports;

namespace Kworker.Apps.Nfsd;

/// <summary>The one line that says what is served, where, and how to mount it.</summary>
internal static class StartupLine
{
    public static string Of(IReadOnlyList<IPEndPoint> endPoints, IReadOnlyList<Export> exports, NfsVersions versions, bool hasLocks)
    {
        string served = Served(exports);
        string mount = string.Join(" or: ", MountCommands(endPoints[0], exports, versions, hasLocks));
        return $"nfsd: listening on {string.Join(" and ", endPoints)}, serving {served}. Mount: {mount}";
    }

    /// <summary>What is exported, for people.</summary>
    public static string Served(IReadOnlyList<Export> exports) => string.Join(", ", exports.Select(export => $"{export.Path} ({(IsReadOnly(export) ? "ro" : "rw")})"));

    /// <summary>
    /// Commands for Linux that name what nfs(5) would otherwise guess: one by NFSv4, one by version 3, as far as they are served. Without
    /// <paramref name="hasLocks"/> version 3 needs neither rpcbind nor lock daemons; nor on this very machine, where the kernel's own lock manager would
    /// want to be the one that rpcbind names.
    /// </summary>
    public static IEnumerable<string> MountCommands(IPEndPoint endPoint, IReadOnlyList<Export> exports, NfsVersions versions, bool hasLocks)
    {
        string port = endPoint.Port.ToString(CultureInfo.InvariantCulture);
        string? version4 = (versions & NfsVersions.V4) switch
        {
            var some when some.HasFlag(NfsVersions.V41) => "4.1",
            var some when some.HasFlag(NfsVersions.V42) => "4.2",
            NfsVersions.V40 => "4.0",
            _ => null,
        };
        if (version4 is not null)
            yield return $"mount -t nfs4 -o vers={version4},port={port} {Source(endPoint.Address, PathInTree(exports))} /mnt";
        if (!versions.HasFlag(NfsVersions.V3))
            yield break;
        string locks = hasLocks && !IPAddress.IsLoopback(endPoint.Address) ? "" : ",nolock";
        yield return $"mount -t nfs -o vers=3,proto=tcp,port={port},mountport={port},mountproto=tcp{locks} {Source(endPoint.Address, exports[0].Path)} /mnt";
    }

    /// <summary>How NFSv4 calls the first export: an export that is the root (<c>fsid=0</c>) has no path above it.</summary>
    private static string PathInTree(IReadOnlyList<Export> exports)
    {
        string path = exports[0].Path;
        if (exports.FirstOrDefault(export => export.Id == 0) is not { } root)
            return path;
        if (root == exports[0])
            return "/";
        return path.StartsWith(root.Path + "/", StringComparison.Ordinal) ? path[root.Path.Length..] : path;
    }

    private static bool IsReadOnly(Export export) => export.Clients.All(client => client.Options.IsReadOnly);

    private static string Source(IPAddress address, string path) => Quote($"{Host(address)}:{path}");

    private static string Host(IPAddress address)
    {
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            return Dns.GetHostName();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
    }

    private static string Quote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || "/.:_-[]+,@".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
