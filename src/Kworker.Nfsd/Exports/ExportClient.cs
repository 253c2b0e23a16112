using System.IO.Enumeration;
using System.Net;
using System.Net.Sockets;

namespace Kworker.Nfsd.Exports;

/// <summary>A set of clients and what it is granted: one <c>client(options)</c> of exports(5). Immutable.</summary>
public sealed class ExportClient
{
    // Greater is less specific: the order in which exports(5) lets them take precedence, whatever their order on the line.
    internal enum Kind
    {
        Host = 0,
        Network = 1,
        Wildcard = 2,
        Everyone = 3,
    }

    private readonly IPNetwork _network;

    private ExportClient(string pattern, ExportOptions options, Kind kind, IPNetwork network = default)
    {
        Pattern = pattern;
        Options = options;
        Specificity = kind;
        _network = network;
    }

    /// <summary>The client as written: a host name, an address, a network, a name with wildcards, or <c>*</c>.</summary>
    public string Pattern { get; }

    /// <summary>What it is granted.</summary>
    public ExportOptions Options { get; }

    internal Kind Specificity { get; }

    /// <summary>Whether matching asks the name service.</summary>
    internal bool NeedsNames => Specificity == Kind.Wildcard || (Specificity == Kind.Host && _network.PrefixLength == 0);

    /// <summary>Reads a client as exports(5) writes it.</summary>
    /// <exception cref="ExportsFormatException">It is none, or a netgroup.</exception>
    public static ExportClient Parse(string pattern, ExportOptions options)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(options);
        if (pattern.Length == 0 || pattern == "*")
            return new ExportClient("*", options, Kind.Everyone);
        if (pattern[0] == '@')
            throw new ExportsFormatException($"netgroup '{pattern}' is not supported: name hosts or networks instead");

        int slash = pattern.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
            return new ExportClient(pattern, options, Kind.Network, ParseNetwork(pattern, slash));
        if (IPAddress.TryParse(pattern, out IPAddress? address))
            return new ExportClient(pattern, options, Kind.Host, new IPNetwork(address, BitsOf(address)));
        if (pattern.AsSpan().ContainsAny('*', '?', '['))
            return pattern.Contains('[', StringComparison.Ordinal)
                ? throw new ExportsFormatException($"client '{pattern}': character classes are not supported, '*' and '?' are")
                : new ExportClient(pattern, options, Kind.Wildcard);
        return Uri.CheckHostName(pattern) == UriHostNameType.Dns
            ? new ExportClient(pattern, options, Kind.Host)
            : throw new ExportsFormatException($"'{pattern}' is neither a host name nor an address nor a network");
    }

    /// <summary>Whether <paramref name="address"/> belongs to it. May ask the name service, and wait for it.</summary>
    internal bool Matches(IPAddress address, IHostNames names)
    {
        switch (Specificity)
        {
            case Kind.Everyone:
                return true;
            case Kind.Wildcard:
                // A name is believed only if it leads back to the address: whoever owns the address owns its reverse record.
                string? name = names.NameOf(address);
                return name is not null && FileSystemName.MatchesSimpleExpression(Pattern, name)
                    && names.AddressesOf(name).Contains(address);
            case Kind.Host when NeedsNames:
                return names.AddressesOf(Pattern).Contains(address);
            default:
                return _network.Contains(address);
        }
    }

    private static int BitsOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    /// <summary>A network by prefix length or by mask; bits beyond it are cut, as nfs-utils does.</summary>
    private static IPNetwork ParseNetwork(string pattern, int slash)
    {
        string suffix = pattern[(slash + 1)..];
        if (!IPAddress.TryParse(pattern.AsSpan(0, slash), out IPAddress? address))
            throw new ExportsFormatException($"'{pattern}' is no network: '{pattern[..slash]}' is no address");

        if (!int.TryParse(suffix, System.Globalization.NumberStyles.None, null, out int bits))
        {
            if (address.AddressFamily != AddressFamily.InterNetwork || !IPAddress.TryParse(suffix, out IPAddress? mask)
                || mask.AddressFamily != AddressFamily.InterNetwork)
            {
                throw new ExportsFormatException($"'{pattern}' is no network: '{suffix}' is neither a prefix length nor a mask");
            }
            uint value = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(mask.GetAddressBytes());
            bits = System.Numerics.BitOperations.LeadingZeroCount(~value);
            if (bits < 32 && value << bits != 0)
                throw new ExportsFormatException($"'{pattern}' is no network: the mask '{suffix}' has holes");
        }
        if (bits > BitsOf(address))
            throw new ExportsFormatException($"'{pattern}' is no network: a prefix of {bits} bits is too long");

        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(0xff00 >> Math.Clamp(bits - 8 * i, 0, 8));
        return new IPNetwork(new IPAddress(bytes), bits);
    }
}
