using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Kworker.SunRpc;

/// <summary>
/// Reads XDR (RFC 4506) from bytes that may be hostile: every length is checked against the bytes that remain before it is used, and
/// nothing is allocated here.
/// </summary>
/// <remarks>
/// Padding bytes are skipped without a look at them, as other implementations do. Bytes left over after the last component are the
/// caller's business (<see cref="Remaining"/>). Not thread-safe; pass it by reference.
/// </remarks>
[DebuggerDisplay("Position = {Position}, Remaining = {Remaining}")]
public ref struct XdrReader
{
    private readonly ReadOnlyMemory<byte> _memory; // empty if made from a span
    private readonly ReadOnlySpan<byte> _span;
    private int _position;

    /// <summary>A reader whose opaque slices (<see cref="ReadOpaqueMemory"/>) share <paramref name="memory"/>.</summary>
    public XdrReader(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _span = memory.Span;
    }

    /// <summary>A reader whose opaque slices are copies.</summary>
    public XdrReader(ReadOnlySpan<byte> span) => _span = span;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _span.Length - _position;

    /// <summary>Reads an <c>int</c>.</summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    /// <summary>Reads an <c>unsigned int</c>.</summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>Reads a <c>hyper</c>.</summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    /// <summary>Reads an <c>unsigned hyper</c>.</summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>Reads a <c>bool</c>: 0 or 1.</summary>
    /// <exception cref="XdrException">The bytes end before, or hold another number.</exception>
    public bool ReadBoolean()
    {
        uint value = ReadUInt32();
        if (value > 1)
            ThrowNotBoolean(value);
        return value != 0;
    }

    /// <summary>Reads <c>opaque x[length]</c> and its padding. The span is a view of the bytes read from.</summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public ReadOnlySpan<byte> ReadFixedOpaque(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return Take(length, Padding(length));
    }

    /// <summary>
    /// Reads <c>opaque x&lt;maximum&gt;</c> or <c>string x&lt;maximum&gt;</c>. The span is a view of the bytes read from.
    /// </summary>
    /// <exception cref="XdrException">The length is past <paramref name="maximum"/>, or past the bytes that remain.</exception>
    public ReadOnlySpan<byte> ReadOpaque(int maximum = int.MaxValue)
    {
        int length = ReadCount(maximum, 1);
        return Take(length, Padding(length));
    }

    /// <summary>
    /// As <see cref="ReadFixedOpaque"/>, as memory: a slice of the memory that the reader was made from, or a copy if it was made from a
    /// span.
    /// </summary>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public ReadOnlyMemory<byte> ReadFixedOpaqueMemory(int length)
    {
        ReadOnlySpan<byte> bytes = ReadFixedOpaque(length);
        return ToMemory(bytes);
    }

    /// <summary>
    /// As <see cref="ReadOpaque"/>, as memory: a slice of the memory that the reader was made from, or a copy if it was made from a span.
    /// </summary>
    /// <exception cref="XdrException">The length is past <paramref name="maximum"/>, or past the bytes that remain.</exception>
    public ReadOnlyMemory<byte> ReadOpaqueMemory(int maximum = int.MaxValue)
    {
        ReadOnlySpan<byte> bytes = ReadOpaque(maximum);
        return ToMemory(bytes);
    }

    /// <summary>Reads the length of a variable-length component, which the bytes that remain can hold.</summary>
    /// <param name="maximum">The declared maximum.</param>
    /// <param name="minimumElementSize">Bytes that an element takes at least (0 counts as 1).</param>
    /// <exception cref="XdrException">The length is past <paramref name="maximum"/>, or past what the bytes that remain can
    /// hold.</exception>
    public int ReadCount(int maximum, int minimumElementSize)
    {
        uint count = ReadUInt32();
        if (count > (uint)maximum)
            ThrowTooLong(count, maximum);
        if ((ulong)count * (uint)Math.Max(1, minimumElementSize) > (uint)Remaining)
            ThrowTooShort(count);
        return (int)count;
    }

    /// <summary>Throws what a declared maximum that was passed throws; for generated code and readers by hand.</summary>
    /// <exception cref="XdrException">Always.</exception>
    [DoesNotReturn]
    public readonly void ThrowTooLong(long length, int maximum) =>
        throw new XdrException($"length {length} at byte {_position} is past the maximum of {maximum}");

    /// <summary>Throws what a value that its enum or union does not have throws; for generated code and readers by hand.</summary>
    /// <exception cref="XdrException">Always.</exception>
    [DoesNotReturn]
    public readonly void ThrowInvalid(string type, long value) =>
        throw new XdrException($"{value} before byte {_position} is no value of {type}");

    /// <summary>The zero bytes that fill <paramref name="length"/> bytes up to a multiple of four.</summary>
    internal static int Padding(int length) => -length & 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Take(int length, int padding = 0)
    {
        // Neither sum nor comparison can overflow: padding is at most 3, and Remaining is not negative.
        if ((uint)length + (uint)padding > (uint)Remaining)
            ThrowTooShort((uint)length);
        ReadOnlySpan<byte> taken = _span.Slice(_position, length);
        _position += length + padding;
        return taken;
    }

    // Called right after the bytes were taken: they end where the position stands, less their padding.
    private readonly ReadOnlyMemory<byte> ToMemory(ReadOnlySpan<byte> taken) =>
        _memory.IsEmpty ? taken.ToArray() : _memory.Slice(_position - Padding(taken.Length) - taken.Length, taken.Length);

    [DoesNotReturn]
    private readonly void ThrowTooShort(uint wanted) =>
        throw new XdrException($"{wanted} bytes or elements wanted at byte {_position}, {Remaining} bytes there");

    [DoesNotReturn]
    private readonly void ThrowNotBoolean(uint value) => ThrowInvalid("bool", value);
}
