using CsCheck;

namespace Kworker.SunRpc.Tests;

public sealed class XdrGeneratedTests
{
    [Fact]
    public void Scalars_are_big_endian_words()
    {
        var value = new Scalars(-2, 0x80000001, -3, 0x0102030405060708, true, Colour.Far);
        byte[] bytes = Wire.Bytes("FFFFFFFE 80000001 FFFFFFFFFFFFFFFD 0102030405060708 00000001 00011170");
        Assert.Equal(bytes, Wire.Encode(value));
        Assert.Equal(value, Wire.Decode<Scalars>(bytes));
        Assert.Equal(32, Scalars.MinimumSize);
    }

    [Theory]
    [InlineData("00000000")]
    [InlineData("00000004")]
    [InlineData("FFFFFFFA")]
    [InlineData("00011171")]
    public void An_enum_value_that_is_not_declared_is_refused(string bytes) =>
        Assert.Throws<XdrException>(() =>
        {
            var reader = new XdrReader(Wire.Bytes(bytes));
            ColourXdr.Read(ref reader);
        });

    [Fact]
    public void A_bool_is_zero_or_one() => Assert.Throws<XdrException>(() => Wire.Decode<Flagged>("00000002 0000000000000001"));

    [Fact]
    public void Opaques_carry_length_and_padding()
    {
        var value = new Opaques([1, 2, 3, 4, 5], [6], [], new byte[] { 7, 8, 9, 10 });
        byte[] bytes = Wire.Bytes("0102030405 000000   00000001 06 000000   00000000   0708090A");
        Assert.Equal(bytes, Wire.Encode(value));
        Opaques read = Wire.Decode<Opaques>(bytes);
        Assert.Equal(value.Five, read.Five);
        Assert.Equal(value.Seven, read.Seven);
        Assert.Empty(read.Any);
        Assert.Equal(value.Four.ToArray(), read.Four.ToArray());
        Assert.Equal(8 + 4 + 4 + 4, Opaques.MinimumSize);
    }

    [Fact]
    public void A_length_past_the_declared_maximum_is_refused_both_ways()
    {
        Assert.Throws<XdrException>(() => Wire.Decode<Handle>(Wire.Bytes("00000041" + new string('0', 136))));
        Assert.Throws<XdrException>(() => Wire.Encode(new Handle(new byte[65])));
        Assert.Throws<XdrException>(() => Wire.Encode(new Opaques(new byte[4], [], [], new byte[4])));
    }

    [Fact]
    public void An_opaque_slice_shares_the_memory_read_from()
    {
        byte[] bytes = Wire.Bytes("00000005 0102030405 000000");
        Handle handle = Wire.Decode<Handle>(bytes);
        bytes[4] = 99;
        Assert.Equal([99, 2, 3, 4, 5], handle.Data.ToArray());
    }

    [Fact]
    public void A_reader_made_from_a_span_copies_opaque_slices()
    {
        byte[] bytes = Wire.Bytes("00000005 0102030405 000000");
        var reader = new XdrReader(bytes.AsSpan());
        Handle handle = Handle.Read(ref reader);
        bytes[4] = 99;
        Assert.Equal([1, 2, 3, 4, 5], handle.Data.ToArray());
    }

    [Fact]
    public void Arrays_and_lists()
    {
        var value = new Arrays([1, 2], [3, 4, 5], [Colour.Blue], [], [new Name([0x61]), new Name([0xFF, 0x62])], []);
        byte[] bytes = Wire.Bytes("""
            00000002 00000001 00000002
            0000000000000003 0000000000000004 0000000000000005
            00000001 00000003
            00000000
            00000001 00000001 61000000 00000001 00000002 FF620000 00000000
            00000000
            """);
        Assert.Equal(bytes, Wire.Encode(value));
        Arrays read = Wire.Decode<Arrays>(bytes);
        Assert.Equal(value.Groups, read.Groups);
        Assert.Equal(value.Three, read.Three);
        Assert.Equal(value.Colours, read.Colours);
        Assert.Equal([0xFF, 0x62], read.Names[1].Bytes);
        Assert.Empty(read.Two);
    }

    [Fact]
    public void A_list_past_its_maximum_is_refused() =>
        Assert.Throws<XdrException>(() => Wire.Decode<Arrays>("""
            00000000   0000000000000003 0000000000000004 0000000000000005   00000000   00000000   00000000
            00000001 00000001 00000001 00000001 00000001 00000001 00000000
            """));

    [Fact]
    public void An_array_length_that_the_bytes_cannot_hold_allocates_nothing()
    {
        // 2^27 elements of 32 bytes claimed, none there.
        byte[] bytes = Wire.Bytes("00000000   0000000000000003 0000000000000004 0000000000000005   00000000   08000000");
        Assert.Throws<XdrException>(() => Wire.Decode<Arrays>(bytes));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<XdrException>(() => Wire.Decode<Arrays>(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Optionals_are_a_bool_and_the_value()
    {
        Assert.Equal(Wire.Bytes("00000000 00000000 00000000 00000000 00000000"), Wire.Encode(new Optionals(null, null, null, null, null)));
        byte[] bytes = Wire.Bytes("00000001 000001A4   00000000   00000001 00000001 07000000   00000000   00000001 00000001 00000009 00000000");
        Optionals read = Wire.Decode<Optionals>(bytes);
        Assert.Equal(0x1A4u, read.Mode);
        Assert.Null(read.Scalars);
        Assert.Equal([7], read.Bytes!);
        Assert.Null(read.Opaques);
        Assert.Equal([9], read.List!);
        Assert.Equal(bytes, Wire.Encode(read));
    }

    [Fact]
    public void A_union_reads_the_arm_of_its_discriminant()
    {
        Lookup failure = Wire.Decode<Lookup>("00000002 00000001 78000000");
        Assert.Equal(Colour.Green, failure.Colour);
        Assert.Equal([0x78], failure.Failure.Bytes);
        Assert.Equal(default, failure.Ok);
        Lookup ok = Wire.Decode<Lookup>("00000003 FFFFFFFE 80000001 FFFFFFFFFFFFFFFD 0102030405060708 00000001 00000001");
        Assert.Equal(-2, ok.Ok.I);
        Assert.Equal(Wire.Bytes("00000003 FFFFFFFE 80000001 FFFFFFFFFFFFFFFD 0102030405060708 00000001 00000001"), Wire.Encode(ok));
    }

    [Fact]
    public void A_union_may_default_to_void()
    {
        Assert.Equal(new WithDefaultVoid(77), Wire.Decode<WithDefaultVoid>("0000004D"));
        Assert.Equal(new WithDefaultVoid(-2, null, 5), Wire.Decode<WithDefaultVoid>("FFFFFFFE 00000005"));
        Assert.Equal(Wire.Bytes("FFFFFFFE 00000005"), Wire.Encode(new WithDefaultVoid(-2, null, 5)));
        Assert.Throws<XdrException>(() => Wire.Encode(new WithDefaultVoid(1)));
    }

    [Fact]
    public void A_union_without_default_refuses_other_discriminants()
    {
        Assert.Equal(new Closed(Colour.Red, 8), Wire.Decode<Closed>("00000001 00000008"));
        Assert.Equal(new Closed(Colour.Far), Wire.Decode<Closed>("00011170"));
        Assert.Throws<XdrException>(() => Wire.Decode<Closed>("00000003"));
        Assert.Throws<XdrException>(() => Wire.Encode(new Closed(Colour.Blue)));
        Assert.Equal(new Flagged(true, 1), Wire.Decode<Flagged>("00000001 0000000000000001"));
        Assert.Equal(new Flagged(false), Wire.Decode<Flagged>("00000000"));
    }

    [Fact]
    public void A_type_written_by_hand_is_a_component_like_others() =>
        Assert.Equal(new HandWritten(new Words(1, 2), default), Wire.Decode<HandWritten>("00010002"));

    [Fact]
    public void Any_bytes_read_as_a_value_or_are_refused()
    {
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            Tolerate<Scalars>(bytes);
            Tolerate<Opaques>(bytes);
            Tolerate<Arrays>(bytes);
            Tolerate<Optionals>(bytes);
            Tolerate<Lookup>(bytes);
            Tolerate<WithDefaultVoid>(bytes);
            Tolerate<Closed>(bytes);
        });
        // Mostly zero words get farther into the types than random bytes do.
        Gen.OneOf(Gen.Const(0u), Gen.Const(1u), Gen.UInt[0, 5], Gen.UInt).Array[0, 60].Sample(words =>
        {
            byte[] bytes = words.SelectMany(word => BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word))).ToArray();
            Tolerate<Arrays>(bytes);
            Tolerate<Optionals>(bytes);
            Tolerate<Lookup>(bytes);
        });
    }

    // What was read is written again as it stood, but for the padding.
    private static void Tolerate<T>(byte[] bytes)
        where T : IXdr<T>
    {
        var reader = new XdrReader(bytes.AsMemory());
        T value;
        try
        {
            value = T.Read(ref reader);
        }
        catch (XdrException)
        {
            return;
        }
        byte[] written = Wire.Encode(value);
        Assert.Equal(reader.Position, written.Length);
        Assert.Equal(written, Wire.Encode(Wire.Decode<T>(written)));
        Assert.True(T.MinimumSize <= written.Length);
    }
}
