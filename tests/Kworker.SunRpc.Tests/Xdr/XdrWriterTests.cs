namespace Kworker.SunRpc.Tests;

public sealed class XdrWriterTests
{
    [Fact]
    public void Data_is_read_into_the_reply_in_place_and_attributes_are_put_before_it_afterwards()
    {
        using var writer = new XdrWriter();
        int attributes = writer.Position;
        writer.WriteUInt64(0);
        Memory<byte> room = writer.ReserveOpaque(1 << 20);
        Assert.Equal(1 << 20, room.Length);
        new byte[] { 1, 2, 3, 4, 5 }.CopyTo(room);
        writer.CommitOpaque(5);
        int end = writer.Position;
        writer.Position = attributes;
        writer.WriteUInt64(42);
        writer.Position = end;
        Assert.Equal(Wire.Bytes("000000000000002A 00000005 0102030405 000000"), writer.Written.ToArray());
    }

    [Fact]
    public void Padding_is_zero_whatever_the_buffer_held_before()
    {
        using var writer = new XdrWriter();
        Memory<byte> room = writer.ReserveOpaque(8);
        room.Span.Fill(0xEE);
        writer.CommitOpaque(5);
        Assert.Equal(Wire.Bytes("00000005 EEEEEEEEEE 000000"), writer.Written.ToArray());
    }

    [Fact]
    public void It_grows_up_to_its_maximum_and_no_farther()
    {
        using var writer = new XdrWriter(1000);
        for (int i = 0; i < 250; i++)
            writer.WriteInt32(i);
        Assert.Equal(0, writer.Available);
        Assert.Throws<XdrException>(() => writer.WriteInt32(250));
        Assert.Throws<XdrException>(() => writer.ReserveOpaque(0));
        var reader = new XdrReader(writer.Written);
        for (int i = 0; i < 250; i++)
            Assert.Equal(i, reader.ReadInt32());
    }

    [Fact]
    public void A_reservation_ends_with_its_commit_or_with_a_move()
    {
        using var writer = new XdrWriter();
        Assert.Throws<InvalidOperationException>(() => writer.CommitOpaque(0));
        writer.ReserveOpaque(4);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.CommitOpaque(5));
        writer.Position = 0;
        Assert.Throws<InvalidOperationException>(() => writer.CommitOpaque(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Position = 1);
    }
}
