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
            var rest = ReadOnlySequence<byte>.Empty;
            for (int at = 0; at < stream.Length; at += piece)
            {
                byte[] arrived = [.. rest.ToArray(), .. stream.AsSpan(at, Math.Min(piece, stream.Length - at))];
                rest = new ReadOnlySequence<byte>(arrived);
                Drain(reader, ref rest, read);
            }
            Assert.Equal(records.Select(Convert.ToHexString), read);
            Assert.True(rest.IsEmpty);
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
        var input = new ReadOnlySequence<byte>(Wire.Bytes(stream));
        var records = new List<string>();
        Drain(reader, ref input, records);
        return records;
    }

    private static void Drain(RecordReader reader, ref ReadOnlySequence<byte> input, List<string> records)
    {
        while (reader.TryRead(ref input, out byte[]? record, out int length))
        {
            records.Add(Convert.ToHexString(record!.AsSpan(0, length)));
            if (record!.Length > 0)
                ArrayPool<byte>.Shared.Return(record);
        }
    }
}
