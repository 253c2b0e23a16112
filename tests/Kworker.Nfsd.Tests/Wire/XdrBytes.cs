using System.Buffers.Binary;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>XDR built by hand, word by word: nothing in it is the server's own code.</summary>
internal sealed class XdrBytes
{
    private readonly List<byte> _bytes = [];

    public XdrBytes U32(uint value)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(word, value);
        _bytes.AddRange(word);
        return this;
    }

    public XdrBytes U64(ulong value) => U32((uint)(value >> 32)).U32((uint)value);

    public XdrBytes Bool(bool value) => U32(value ? 1u : 0);

    public XdrBytes Opaque(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        _bytes.AddRange(value);
        while (_bytes.Count % 4 != 0)
            _bytes.Add(0);
        return this;
    }

    public XdrBytes Raw(ReadOnlySpan<byte> value)
    {
        _bytes.AddRange(value);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}
