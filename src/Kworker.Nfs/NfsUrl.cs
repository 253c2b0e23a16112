using System.Globalization;

namespace Kworker.Nfs;

/// <summary>What names a place on a server: <c>nfs://host[:port]/path[?option=value&amp;…]</c> (RFC 2224, as libnfs has it). Immutable.</summary>
/// <remarks>
/// Options: <c>mountport=N</c>, the port of the MOUNT program; <c>lockport=N</c>, that of the lock manager; <c>rpcbind=N</c>, that of rpcbind.
/// With a port in the URL rpcbind is not asked for NFS, and MOUNT is looked for on the same port first.
/// </remarks>
public sealed class NfsUrl
{
    private NfsUrl(string host, int port, string path)
    {
        Host = host;
        Port = port;
        Path = path;
    }

    /// <summary>The server's name or address.</summary>
    public string Host { get; }

    /// <summary>The port of NFS; 0 if rpcbind is to be asked.</summary>
    public int Port { get; }

    /// <summary>The whole path, beginning with a slash: the export's, and what lies in it.</summary>
    public string Path { get; }

    /// <summary>The port of MOUNT; 0 if it is not given.</summary>
    public int MountPort { get; private init; }

    /// <summary>The port of the lock manager; 0 if it is not given.</summary>
    public int LockPort { get; private init; }

    /// <summary>The port of rpcbind.</summary>
    public int RpcbindPort { get; private init; } = 111;

    /// <summary>Whether a text means such a place at all, rather than a local path.</summary>
    public static bool IsUrl(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith("nfs://", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads a URL.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static NfsUrl Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsUrl(text))
            throw new FormatException($"{text}: not of the form nfs://host[:port]/path");
        string rest = text["nfs://".Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            throw new FormatException($"{text}: the path is missing");
        (string host, int port) = ParseAuthority(text, rest[..slash]);
        string path = rest[slash..];
        string query = "";
        if (path.IndexOf('?', StringComparison.Ordinal) is >= 0 and int mark)
        {
            query = path[(mark + 1)..];
            path = path[..mark];
        }
        int mountPort = 0;
        int lockPort = 0;
        int rpcbind = 111;
        foreach (string option in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? option : option[..equals];
            int value = ParsePort(text, equals < 0 ? "" : option[(equals + 1)..]);
            switch (name)
            {
                case "mountport":
                    mountPort = value;
                    break;
                case "lockport":
                    lockPort = value;
                    break;
                case "rpcbind":
                    rpcbind = value;
                    break;
                default:
                    throw new FormatException($"{text}: there is no option {name}");
            }
        }
        return new NfsUrl(host, port, Uri.UnescapeDataString(path)) { MountPort = mountPort, LockPort = lockPort, RpcbindPort = rpcbind };
    }

    /// <summary>The same server, another path.</summary>
    public NfsUrl WithPath(string path) => new(Host, Port, path) { MountPort = MountPort, LockPort = LockPort, RpcbindPort = RpcbindPort };

    /// <summary>As a message names it: without options.</summary>
    public override string ToString() => Port == 0 ? $"nfs://{Host}{Path}" : $"nfs://{Host}:{Port}{Path}";

    private static (string Host, int Port) ParseAuthority(string text, string authority)
    {
        int colon = authority.LastIndexOf(':');
        if (authority.StartsWith('[')) // an IPv6 address
        {
            int end = authority.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
                throw new FormatException($"{text}: the bracket does not end");
            string address = authority[1..end];
            return end == authority.Length - 1 ? (address, 0)
                : colon == end + 1 ? (address, ParsePort(text, authority[(colon + 1)..]))
                : throw new FormatException($"{text}: no port after the address");
        }
        (string host, int port) = colon < 0 ? (authority, 0) : (authority[..colon], ParsePort(text, authority[(colon + 1)..]));
        return host.Length > 0 ? (host, port) : throw new FormatException($"{text}: the host is missing");
    }

    private static int ParsePort(string text, string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65535
            ? port
            : throw new FormatException($"{text}: \"{digits}\" is no port");
}
