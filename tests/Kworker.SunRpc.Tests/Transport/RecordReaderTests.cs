using System.Buffers;
using CsCheck;

namespace Kworker.SunRpc.Tests;

public sealed class RecordReaderTests
{
    [Fact]
    public void A_record_of_one_fragment()
    {
        using var reader = new RecordReader(100);
        Assert.Equal(["0102030405"], ReadAll(reader, "80000005 0102030405"));
        Assert.False(reader.IsInsideRecord);
    }

    [Fact]
    public void A_record_of_many_fragments_some_empty() =>
        Assert.Equal(["010203", "", "04"], ReadAll(new RecordReader(100), "00000001 01 00000000 00000001 02 80000001 03  80000000  00000001 04 80000000"));

    [Fact]
    public void Bytes_may_arrive_in_any_pieces()
    {
        Gen.Select(Gen.Byte.Array[0, 40].Array[0, 6], Gen.Int[1, 7], Gen.Int[1, 9]).Sample((records, fragment, piece) =>
        {
            byte[] stream = records.SelectMany(record => Fragments(record, fragment)).ToArray();
            using var reader = new RecordReader(64);
            var read = new List<string>();
            for (int at = 0; at < stream.Length; at += piece)
                Drain(reader, stream.AsSpan(at, Math.Min(piece, stream.Length - at)), read);
            Assert.Equal(records.Select(Convert.ToHexString), read);
            Assert.False(reader.IsInsideRecord);
        });
    }

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("80000065")]
    [InlineData("7FFFFFFF")]
    [InlineData("00000064 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 80000001")]
    public void A_record_past_the_limit_is_refused_when_it_claims_to_be(string bytes) =>
        Assert.Throws<RecordTooLongException>(() => ReadAll(new RecordReader(100), bytes));

    [Fact]
    public void Memory_follows_what_has_arrived_not_what_is_claimed()
    {
        using var reader = new RecordReader(int.MaxValue);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Empty(ReadAll(reader, "FFFFFFF0 01020304"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Equal(4, reader.Held);
        Assert.True(reader.IsInsideRecord);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_long_record_is_put_together_where_it_is_received(bool isVouchedFor)
    {
        byte[] sent = new byte[1_000_003];
        new Random(1).NextBytes(sent);
        using var reader = new RecordReader(sent.Length);
        var read = new List<string>();
        Drain(reader, [0x80, 0x0F, 0x42, 0x43, .. sent.AsSpan(0, 10_000)], read);
        int at = 10_000;
        int direct = 0;
        while (at < sent.Length)
        {
            Memory<byte> room = reader.Room(isVouchedFor);
            Assert.InRange(room.Length, 0, isVouchedFor ? sent.Length - at : 3 * at); // twice what has arrived, as the pool rounds it up
            int taken = Math.Min(room.IsEmpty ? 100 : room.Length, sent.Length - at);
            if (room.IsEmpty)
            {
                Drain(reader, sent.AsSpan(at, taken), read);
            }
            else
            {
                sent.AsSpan(at, taken).CopyTo(room.Span);
                reader.Advance(taken);
                Drain(reader, [], read);
                direct += taken;
            }
            at += taken;
        }
        Assert.Equal(Convert.ToHexString(sent), Assert.Single(read));
        Assert.InRange(direct, sent.Length / 2, sent.Length);
        Assert.True(reader.Room(isVouchedFor).IsEmpty);
    }

    private static IEnumerable<byte> Fragments(byte[] record, int size)
    {
        byte[][] parts = record.Length == 0 ? [[]] : [.. record.Chunk(size)];
        for (int i = 0; i < parts.Length; i++)
        {
            byte last = i == parts.Length - 1 ? (byte)0x80 : (byte)0;
            foreach (byte b in (byte[])[last, 0, 0, (byte)parts[i].Length, .. parts[i]])
                yield return b;
        }
    }

    private static List<string> ReadAll(RecordReader reader, string stream)
    {
        var records = new List<string>();
        Drain(reader, Wire.Bytes(stream), records);
        return records;
    }

    private static void Drain(RecordReader reader, ReadOnlySpan<byte> input, List<string> records)
    {
        while (reader.TryRead(ref input, out byte[]? record, out int length))
        {
            records.Add(Convert.ToHexString(record!.AsSpan(0, length)));
            if (record!.Length > 0)
                ArrayPool<byte>.Shared.Return(record);
        }
        Assert.True(input.IsEmpty);
    }
}
