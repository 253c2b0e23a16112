namespace Kworker.SunRpc.Tests;

// One of each form that XdrAttributes.cs describes.

[Xdr]
public enum Colour
{
    Red = 1,
    Green = 2,
    Blue = 3,
    Far = 70000,
    Negative = -5,
}

[Xdr]
public readonly partial record struct Scalars(int I, uint U, long L, ulong Ul, bool B, Colour C);

[Xdr]
public readonly partial record struct Handle([XdrMax(64)] ReadOnlyMemory<byte> Data);

[Xdr]
public readonly partial record struct Name([XdrMax(255)] byte[] Bytes);

[Xdr]
public partial record Opaques([XdrFixed(5)] byte[] Five, [XdrMax(7)] byte[] Seven, byte[] Any, [XdrFixed(4)] ReadOnlyMemory<byte> Four);

[Xdr]
public partial record Arrays(
    [XdrMax(16)] uint[] Groups, [XdrFixed(3)] ulong[] Three, [XdrMax(2)] Colour[] Colours, Scalars[] All, [XdrList] Name[] Names, [XdrList, XdrMax(2)] int[] Two);

[Xdr]
public partial record Optionals(uint? Mode, Scalars? Scalars, [XdrMax(8)] byte[]? Bytes, Opaques? Opaques, [XdrList] int[]? List);

[XdrUnion]
public readonly partial record struct Lookup(Colour Colour, [XdrCase(Colour.Red, Colour.Blue)] Scalars Ok = default, [XdrDefault] Name Failure = default);

[XdrUnion(DefaultVoid = true)]
public readonly partial record struct WithDefaultVoid(int Kind, [XdrCase(1)] Opaques? One = null, [XdrCase(-2)] uint? Two = null);

[XdrUnion]
[XdrVoidCase(Colour.Green, Colour.Far)]
public readonly partial record struct Closed(Colour Colour, [XdrCase(Colour.Red)] uint Red = 0);

[XdrUnion]
[XdrVoidCase(false)]
public readonly partial record struct Flagged(bool Flag, [XdrCase(true)] ulong Value = 0);

[Xdr]
internal readonly partial record struct HandWritten(Words Words, XdrVoid Nothing);

internal readonly record struct Words(ushort High, ushort Low) : IXdr<Words>
{
    public static int MinimumSize => 4;

    public static Words Read(ref XdrReader reader)
    {
        uint both = reader.ReadUInt32();
        return new Words((ushort)(both >> 16), (ushort)both);
    }

    public void Write(XdrWriter writer) => writer.WriteUInt32((uint)High << 16 | Low);
}
