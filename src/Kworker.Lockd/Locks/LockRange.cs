using System.Diagnostics;

namespace Kworker.Lockd.Locks;

/// <summary>A range of bytes of a file.</summary>
/// <param name="Start">The first byte.</param>
/// <param name="End">The last byte, included; no less than <paramref name="Start"/>. <see cref="ulong.MaxValue"/>: to the end of the file, wherever that will be.</param>
[DebuggerDisplay("{ToString(),nq}")]
internal readonly record struct LockRange(ulong Start, ulong End)
{
    /// <summary>Every byte there can be.</summary>
    public static LockRange All => new(0, ulong.MaxValue);

    /// <summary>From how the protocols write it.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">Bytes; 0: to the end of the file.</param>
    /// <param name="range">The range.</param>
    /// <returns>False if the last byte is past 2^64-1.</returns>
    public static bool TryCreate(ulong offset, ulong length, out LockRange range)
    {
        ulong end = length == 0 ? ulong.MaxValue : unchecked(offset + length - 1);
        range = new LockRange(offset, end);
        return end >= offset;
    }

    /// <summary>Whether they share a byte.</summary>
    public bool Overlaps(LockRange other) => Start <= other.End && other.Start <= End;

    /// <summary>Whether all bytes of the other are in this one.</summary>
    public bool Contains(LockRange other) => Start <= other.Start && other.End <= End;

    /// <inheritdoc/>
    public override string ToString() => End == ulong.MaxValue ? $"[{Start}, end]" : $"[{Start}, {End}]";
}
