using System.Buffers.Binary;

namespace Kworker.Interop.Wire;

/// <summary>XDR (RFC 4506) by hand, into bytes: of no code that it is to test.</summary>
internal sealed class RawWriter
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => [.. _bytes];

    public RawWriter UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public RawWriter UInt64(ulong value) => UInt32((uint)(value >> 32)).UInt32((uint)value);

    public RawWriter Fixed(ReadOnlySpan<byte> value)
    {
        _bytes.AddRange(value);
        _bytes.AddRange(stackalloc byte[-value.Length & 3]);
        return this;
    }

    public RawWriter Opaque(ReadOnlySpan<byte> value) => UInt32((uint)value.Length).Fixed(value);

    public RawWriter Text(string value) => Opaque(System.Text.Encoding.UTF8.GetBytes(value));
}
