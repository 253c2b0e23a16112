using System.Globalization;
using System.Net;

namespace Kworker.Apps.Nfsd.Page;

/// <summary>Where the state page is served, and to whom.</summary>
/// <param name="Address">An address of this machine.</param>
/// <param name="Port">0: a free one.</param>
/// <param name="Password">What those must bring who want to see it; null: this machine alone may.</param>
internal sealed record HttpEndPoint(IPAddress Address, int Port, string? Password)
{
    /// <summary>Reads <c>[ADDRESS:]PORT</c>.</summary>
    /// <returns>Null when it is none.</returns>
    public static (IPAddress Address, int Port)? Parse(string word)
    {
        int colon = word.LastIndexOf(':');
        string address = colon < 0 ? "127.0.0.1" : word[..colon];
        if (!int.TryParse(word[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > IPEndPoint.MaxPort)
            return null;
        if (address == "localhost")
            address = "127.0.0.1";
        return IPAddress.TryParse(address.Trim('[', ']'), out IPAddress? parsed) ? (parsed, port) : null;
    }
}
