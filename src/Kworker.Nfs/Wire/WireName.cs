using System.Buffers;
using System.Text;

namespace Kworker.Nfs;

/// <summary>
/// Names are bytes on the wire and text here: UTF-8, and what is none stands as lone surrogates U+DC80 to U+DCFF (as Python does), so that
/// every name goes back as it came.
/// </summary>
internal static class WireName
{
    private const char EscapeBase = '\udc00';

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        Span<char> characters = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == OperationStatus.Done)
            {
                text.Append(characters[..rune.EncodeToUtf16(characters)]);
            }
            else
            {
                length = 1;
                text.Append((char)(EscapeBase + bytes[0]));
            }
            bytes = bytes[length..];
        }
        return text.ToString();
    }

    public static byte[] Encode(string text)
    {
        var bytes = new ArrayBufferWriter<byte>(text.Length + 8);
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int length) == OperationStatus.Done)
            {
                bytes.Advance(rune.EncodeToUtf8(bytes.GetSpan(4)));
            }
            else
            {
                // A lone surrogate that is no escape has no form in any encoding.
                length = 1;
                bytes.GetSpan(1)[0] = rest[0] is >= (char)(EscapeBase + 0x80) and <= (char)(EscapeBase + 0xff) ? (byte)(rest[0] - EscapeBase) : (byte)'?';
                bytes.Advance(1);
            }
            rest = rest[length..];
        }
        return bytes.WrittenSpan.ToArray();
    }
}
