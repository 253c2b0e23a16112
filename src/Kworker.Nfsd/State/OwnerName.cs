using System.Diagnostics;

namespace Kworker.Nfsd.State;

/// <summary>What a client calls itself, or one of its owners: bytes, compared as such.</summary>
[DebuggerDisplay("{ToString(),nq}")]
internal readonly struct OwnerName(ReadOnlyMemory<byte> bytes) : IEquatable<OwnerName>
{
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>The same, in memory of its own: what a request brings is gone after it.</summary>
    public OwnerName Copy() => new(Bytes.ToArray());

    public bool Equals(OwnerName other) => Bytes.Span.SequenceEqual(other.Bytes.Span);

    public override bool Equals(object? obj) => obj is OwnerName other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes.Span);
        return hash.ToHashCode();
    }

    public override string ToString() => Convert.ToHexString(Bytes.Span);
}
