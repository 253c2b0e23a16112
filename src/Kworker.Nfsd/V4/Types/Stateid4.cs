using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>stateid4</c>: RFC 7530 section 9.1.4, RFC 8881 section 8.2. The twelve bytes of <c>other</c> as two numbers.</summary>
/// <param name="Seqid">Counts the changes of the state.</param>
/// <param name="OtherHigh">The first eight bytes of <c>other</c>.</param>
/// <param name="OtherLow">Its last four.</param>
[Xdr]
internal readonly partial record struct Stateid4(uint Seqid, ulong OtherHigh, uint OtherLow)
{
    /// <summary>All zeros: no state, the operation obeys others' locks and shares.</summary>
    public static Stateid4 Anonymous => default;

    /// <summary>All ones: as <see cref="Anonymous"/>, and READ may pass by others' locks.</summary>
    public static Stateid4 ReadBypass => new(uint.MaxValue, ulong.MaxValue, uint.MaxValue);

    /// <summary>4.1: the stateid that an earlier operation of the compound left (RFC 8881 section 16.2.3.1.2).</summary>
    public static Stateid4 Current => new(1, 0, 0);

    /// <summary>4.1: a stateid that is none.</summary>
    public static Stateid4 Invalid => new(uint.MaxValue, 0, 0);

    /// <summary>Whether this is one of the values that stand for no state of a client's.</summary>
    public bool IsSpecial => (OtherHigh == 0 && OtherLow == 0) || (OtherHigh == ulong.MaxValue && OtherLow == uint.MaxValue);

    /// <summary>The same state without a count, which names its latest version in 4.1.</summary>
    public bool HasSameOther(in Stateid4 other) => OtherHigh == other.OtherHigh && OtherLow == other.OtherLow;
}
