using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kworker.SunRpc;

/// <summary>Addresses as rpcbind writes them: the host, then the port as two decimal bytes, as "127.0.0.1.8.1" (RFC 5665, 5.2.3).</summary>
internal static class UniversalAddress
{
    public static byte[] Format(IPEndPoint endPoint)
    {
        // A scope is this machine's own name for a link: it says nothing to another.
        bool hasScope = endPoint.AddressFamily == AddressFamily.InterNetworkV6 && endPoint.Address.ScopeId != 0;
        IPAddress address = hasScope ? new IPAddress(endPoint.Address.GetAddressBytes()) : endPoint.Address;
        return Encoding.ASCII.GetBytes($"{address}.{endPoint.Port >> 8}.{endPoint.Port & 255}");
    }

    public static bool TryParse(ReadOnlySpan<byte> text, out IPEndPoint? endPoint)
    {
        endPoint = null;
        if (text.Length > 64)
            return false;
        int low = text.LastIndexOf((byte)'.');
        int high = low < 1 ? -1 : text[..low].LastIndexOf((byte)'.');
        if (high < 1 || !TryParseByte(text[(high + 1)..low], out int first) || !TryParseByte(text[(low + 1)..], out int second))
            return false;
        string host = Encoding.ASCII.GetString(text[..high]);
        // IPAddress takes shorthand that is none of rpcbind's, such as "127.1" or a scope.
        bool plain = host.Contains(':', StringComparison.Ordinal) ? host.AsSpan().IndexOfAny('%', '[') < 0 : host.Count(c => c == '.') == 3;
        if (!plain || !IPAddress.TryParse(host, out IPAddress? address))
            return false;
        endPoint = new IPEndPoint(address, (first << 8) + second);
        return true;
    }

    private static bool TryParseByte(ReadOnlySpan<byte> digits, out int value) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= 255;
}
