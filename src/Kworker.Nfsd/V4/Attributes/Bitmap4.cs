using System.Diagnostics;
using System.Numerics;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>bitmap4</c>, RFC 7530 section 2.1: a set of attributes, as far as there are any that we know.</summary>
/// <param name="Word0">Attributes 0 to 31.</param>
/// <param name="Word1">32 to 63.</param>
/// <param name="Word2">64 to 95.</param>
/// <param name="HasMore">Whether the sender's bitmap had others, which nobody has defined.</param>
[DebuggerDisplay("{Word0,h} {Word1,h} {Word2,h}")]
internal readonly record struct Bitmap4(uint Word0, uint Word1 = 0, uint Word2 = 0, bool HasMore = false)
{
    /// <summary>Words on the wire past those that we know: as many as a sane client could ever send.</summary>
    private const int MaxWords = 64;

    public bool IsEmpty => (Word0 | Word1 | Word2) == 0 && !HasMore;

    public static Bitmap4 Of(params ReadOnlySpan<Fattr4Id> attributes)
    {
        Bitmap4 bitmap = default;
        foreach (Fattr4Id attribute in attributes)
            bitmap = bitmap.With(attribute);
        return bitmap;
    }

    public static Bitmap4 Read(ref XdrReader reader)
    {
        int count = reader.ReadCount(MaxWords, sizeof(uint));
        uint word0 = count > 0 ? reader.ReadUInt32() : 0;
        uint word1 = count > 1 ? reader.ReadUInt32() : 0;
        uint word2 = count > 2 ? reader.ReadUInt32() : 0;
        bool hasMore = false;
        for (int i = 3; i < count; i++)
            hasMore |= reader.ReadUInt32() != 0;
        return new Bitmap4(word0, word1, word2, hasMore);
    }

    /// <summary>Writes as many words as there are bits for.</summary>
    public void Write(XdrWriter writer)
    {
        int count = Word2 != 0 ? 3 : Word1 != 0 ? 2 : Word0 != 0 ? 1 : 0;
        writer.WriteCount(count);
        if (count > 0)
            writer.WriteUInt32(Word0);
        if (count > 1)
            writer.WriteUInt32(Word1);
        if (count > 2)
            writer.WriteUInt32(Word2);
    }

    public bool Has(Fattr4Id attribute) => (WordOf(attribute) & MaskOf(attribute)) != 0;

    public Bitmap4 With(Fattr4Id attribute) => ((int)attribute >> 5) switch
    {
        0 => this with { Word0 = Word0 | MaskOf(attribute) },
        1 => this with { Word1 = Word1 | MaskOf(attribute) },
        _ => this with { Word2 = Word2 | MaskOf(attribute) },
    };

    /// <summary>Whether the two have an attribute in common.</summary>
    public bool Overlaps(Bitmap4 other) => ((Word0 & other.Word0) | (Word1 & other.Word1) | (Word2 & other.Word2)) != 0;

    /// <summary>Whether all of these are among <paramref name="others"/>.</summary>
    public bool IsWithin(Bitmap4 others) =>
        !HasMore && ((Word0 & ~others.Word0) | (Word1 & ~others.Word1) | (Word2 & ~others.Word2)) == 0;

    public static Bitmap4 operator &(Bitmap4 left, Bitmap4 right) =>
        new(left.Word0 & right.Word0, left.Word1 & right.Word1, left.Word2 & right.Word2, left.HasMore && right.HasMore);

    public static Bitmap4 operator |(Bitmap4 left, Bitmap4 right) =>
        new(left.Word0 | right.Word0, left.Word1 | right.Word1, left.Word2 | right.Word2, left.HasMore || right.HasMore);

    /// <summary>Takes the lowest attribute out; false if there is none.</summary>
    public static bool TryTakeLowest(ref Bitmap4 rest, out Fattr4Id attribute)
    {
        if (rest.Word0 != 0)
        {
            attribute = (Fattr4Id)BitOperations.TrailingZeroCount(rest.Word0);
            rest = rest with { Word0 = rest.Word0 & (rest.Word0 - 1) };
            return true;
        }
        if (rest.Word1 != 0)
        {
            attribute = (Fattr4Id)(32 + BitOperations.TrailingZeroCount(rest.Word1));
            rest = rest with { Word1 = rest.Word1 & (rest.Word1 - 1) };
            return true;
        }
        attribute = (Fattr4Id)(64 + BitOperations.TrailingZeroCount(rest.Word2));
        bool isThere = rest.Word2 != 0;
        rest = rest with { Word2 = rest.Word2 & (rest.Word2 - 1) };
        return isThere;
    }

    private uint WordOf(Fattr4Id attribute) => ((int)attribute >> 5) switch { 0 => Word0, 1 => Word1, _ => Word2 };

    private static uint MaskOf(Fattr4Id attribute) => 1u << (int)attribute; // The shift counts modulo 32.
}
