using System.Buffers.Binary;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>Reads XDR by hand; what is not there fails the test.</summary>
internal sealed class XdrCursor(byte[] bytes)
{
    private int _at;

    public int Remaining => bytes.Length - _at;

    public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public bool Bool()
    {
        uint value = U32();
        Assert.InRange(value, 0u, 1u);
        return value == 1;
    }

    public byte[] Opaque()
    {
        int length = checked((int)U32());
        byte[] value = Take(length).ToArray();
        foreach (byte padding in Take(-length & 3))
            Assert.Equal(0, padding);
        return value;
    }

    /// <summary>Nothing must be left.</summary>
    public void End() => Assert.Equal(0, Remaining);

    private ReadOnlySpan<byte> Take(int count)
    {
        Assert.True(count <= Remaining, $"{count} bytes wanted at byte {_at}, {Remaining} there");
        _at += count;
        return bytes.AsSpan(_at - count, count);
    }
}
