using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Kworker.Nfsd.FileSystem;

/// <summary>A file handle as a file system makes it: up to <see cref="MaxLength"/> opaque bytes, held by value.</summary>
/// <remarks>
/// <para>Who prefixes what: a file system puts into it whatever it needs to find the file again after a restart of the server, and
/// nothing else. The protocol layer wraps it (<see cref="FileHandleSeal"/>): export id in front, message authentication code behind. So a
/// file system sees only handles that this server (or an earlier run of it) issued for this very export, and it need not guard
/// against forged bytes, only against files that are gone.</para>
/// <para>Two handles are the same file if and only if their bytes are equal (clients compare bytes).</para>
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public readonly struct NfsHandle : IEquatable<NfsHandle>
{
    /// <summary>Room for a file system's part, in bytes: the 64 of NFSv3 (RFC 1813 section 2.4) less what the seal takes.</summary>
    public const int MaxLength = 48;

    [InlineArray(MaxLength)]
    private struct Storage
    {
        private byte _first;
    }

    private readonly Storage _bytes;
    private readonly byte _length;

    /// <summary>Copies <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException">There are none, or more than <see cref="MaxLength"/>.</exception>
    public NfsHandle(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.Length > MaxLength)
            throw new ArgumentException($"A file handle has 1 to {MaxLength} bytes, not {bytes.Length}.", nameof(bytes));
        bytes.CopyTo(_bytes);
        _length = (byte)bytes.Length;
    }

    /// <summary>The bytes; empty for the default value, which is no handle.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._length];

    /// <summary>Number of bytes.</summary>
    public int Length => _length;

    /// <summary>A handle of 8 bytes that holds a number: for file systems that number their files.</summary>
    public static NfsHandle FromUInt64(ulong number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return new NfsHandle(bytes);
    }

    /// <summary>Takes out the number that <see cref="FromUInt64"/> put in.</summary>
    /// <returns>False if this is no such handle.</returns>
    public bool TryGetUInt64(out ulong number)
    {
        number = _length == sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(Bytes) : 0;
        return _length == sizeof(ulong);
    }

    /// <inheritdoc/>
    public bool Equals(NfsHandle other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is NfsHandle other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>The bytes in hexadecimal, for logs.</summary>
    public override string ToString() => Convert.ToHexString(Bytes);

    /// <summary>Whether the bytes are equal.</summary>
    public static bool operator ==(NfsHandle left, NfsHandle right) => left.Equals(right);

    /// <summary>Whether the bytes differ.</summary>
    public static bool operator !=(NfsHandle left, NfsHandle right) => !left.Equals(right);
}
