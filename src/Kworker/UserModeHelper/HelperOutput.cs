using System.Diagnostics;
using System.Text;

namespace Kworker;

/// <summary>What a helper wrote to its standard output or standard error, up to the limit that was set.</summary>
[DebuggerDisplay("{Bytes.Length} of {TotalLength} bytes")]
public readonly struct HelperOutput
{
    internal HelperOutput(ReadOnlyMemory<byte> bytes, long totalLength)
    {
        Bytes = bytes;
        TotalLength = totalLength;
    }

    /// <summary>The first of the bytes that it wrote, as many as the limit allowed.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>How many bytes it wrote in all.</summary>
    public long TotalLength { get; }

    /// <summary>Whether it wrote more than was kept.</summary>
    public bool IsTruncated => TotalLength > Bytes.Length;

    /// <summary>The bytes as UTF-8; what is none of it becomes U+FFFD.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes.Span);
}
