using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Kworker.Lockd.Locks;

/// <summary>Says which file: bytes that are the same if and only if the file is. Opaque to the table.</summary>
[DebuggerDisplay("{ToString(),nq}")]
internal readonly struct LockFileKey : IEquatable<LockFileKey>
{
    private readonly byte[]? _bytes;

    /// <summary>Copies <paramref name="identity"/>.</summary>
    public LockFileKey(ReadOnlySpan<byte> identity) => _bytes = identity.ToArray();

    /// <summary>The bytes that it was made of.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <inheritdoc/>
    public bool Equals(LockFileKey other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is LockFileKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Of a secret of this process: clients choose among many handles, and must not find those that collide.
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexString(Bytes);
}
