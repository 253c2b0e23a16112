using System.Buffers.Binary;

namespace Kworker.Interop.Wire;

/// <summary>XDR (RFC 4506) by hand, out of bytes.</summary>
internal sealed class RawReader(ReadOnlyMemory<byte> bytes)
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public int Left => _rest.Length;

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4).Span);

    public ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8).Span);

    public byte[] Fixed(int length) => Take((length + 3) & ~3)[..length].ToArray();

    public byte[] Opaque() => Fixed(checked((int)UInt32()));

    private ReadOnlyMemory<byte> Take(int length)
    {
        Assert.True(length <= _rest.Length, $"the reply ends {length - _rest.Length} bytes too early");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
