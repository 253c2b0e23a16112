using System.Globalization;
using System.Text;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.Nfsd.State;

namespace Kworker.Nfsd.Server;

/// <summary>How clients, owners and files are called in a snapshot: what strangers chose, made safe to print.</summary>
internal static class SnapshotText
{
    private const int MostBytes = 128;
    private const int FileDigits = 12;

    public static string Of(OwnerName name) => Of(name.Bytes.Span);

    /// <summary>Bytes that are no printable ASCII as <c>\xNN</c>.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (byte value in bytes[..Math.Min(bytes.Length, MostBytes)])
        {
            if (value is >= 0x20 and < 0x7f && value != '\\')
                text.Append((char)value);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }
        return bytes.Length > MostBytes ? text.Append('…').ToString() : text.ToString();
    }

    /// <summary>The same, of a byte a character.</summary>
    public static string OfLatin1(string text) => Of(Encoding.Latin1.GetBytes(text));

    public static string Of(LockOwner owner) => owner switch
    {
        NfsLockOwner nfs => $"{Of(nfs.Client.Name)}, owner {Convert.ToHexStringLower(nfs.Name.Bytes.Span[..Math.Min(nfs.Name.Bytes.Length, 16)])}",
        NlmOwner nlm => $"{OfLatin1(nlm.Host.Name)} ({nlm.Host.Address}), process {nlm.Svid}",
        _ => owner.ToString() ?? "",
    };

    // The end of a handle is what tells files of one file system apart, as a rule.
    public static string Of(LockFileKey file)
    {
        string digits = Convert.ToHexStringLower(file.Bytes);
        return digits.Length > FileDigits ? "…" + digits[^FileDigits..] : digits;
    }
}
