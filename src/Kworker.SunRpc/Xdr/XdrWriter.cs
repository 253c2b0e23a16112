using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Kworker.SunRpc;

/// <summary>Writes XDR (RFC 4506) into one contiguous buffer from the array pool that grows as needed, up to a limit.</summary>
/// <remarks>
/// Not thread-safe. <see cref="Position"/> may be set back to write something anew (a length, attributes taken after the data) and
/// forward again; what lies before it when the writer is done is what was written. Memory got from the writer is invalid after the
/// next write that makes it grow, and after <see cref="Dispose"/>.
/// </remarks>
[DebuggerDisplay("Position = {Position}, Capacity = {_buffer.Length}")]
public sealed class XdrWriter : IDisposable
{
    private const int SmallestBuffer = 256;

    private int _maximum;
    private byte[] _buffer; // from ArrayPool; empty when there is none
    private int _position;
    private int _written; // the farthest position ever: bytes past it are the pool's, not ours
    private int _reserved = -1; // where the length of the reserved opaque goes; -1 if none
    private int _reservedLength;

    /// <summary>A writer with an empty buffer.</summary>
    /// <param name="maximum">The bytes that it may hold; more throws <see cref="XdrException"/>.</param>
    public XdrWriter(int maximum = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maximum);
        _maximum = Math.Min(maximum, Array.MaxLength);
        _buffer = [];
    }

    /// <summary>Where the next byte goes, counted from the start. May be set to any place up to the farthest that was written.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set past what was written.</exception>
    public int Position
    {
        get => _position;
        set
        {
            if ((uint)value > (uint)_written)
                throw new ArgumentOutOfRangeException(nameof(value), value, $"Only {_written} bytes were written.");
            _position = value;
            _reserved = -1;
        }
    }

    /// <summary>The bytes that the writer may still take.</summary>
    public int Available => _maximum - _position;

    /// <summary>The bytes that the writer may hold; for a writer that is used again.</summary>
    internal int Maximum
    {
        get => _maximum;
        set => _maximum = value;
    }

    /// <summary>What was written, up to <see cref="Position"/>.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _position);

    /// <summary>Writes an <c>int</c>.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(4), value);

    /// <summary>Writes an <c>unsigned int</c>.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    /// <summary>Writes a <c>hyper</c>.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Take(8), value);

    /// <summary>Writes an <c>unsigned hyper</c>.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    /// <summary>Writes a <c>bool</c>.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteBoolean(bool value) => WriteUInt32(value ? 1u : 0);

    /// <summary>Writes <c>opaque x[bytes.Length]</c> with its padding.</summary>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public void WriteFixedOpaque(ReadOnlySpan<byte> bytes)
    {
        int padding = XdrReader.Padding(bytes.Length);
        Span<byte> target = Take(bytes.Length, padding);
        bytes.CopyTo(target);
        target[bytes.Length..].Clear();
    }

    /// <summary>Writes <c>opaque x&lt;maximum&gt;</c> or <c>string x&lt;maximum&gt;</c>.</summary>
    /// <exception cref="XdrException">More bytes than <paramref name="maximum"/>, or past the writer's maximum.</exception>
    public void WriteOpaque(ReadOnlySpan<byte> bytes, int maximum = int.MaxValue)
    {
        WriteCount(bytes.Length, maximum);
        WriteFixedOpaque(bytes);
    }

    /// <summary>Writes the length of a variable-length component.</summary>
    /// <exception cref="XdrException">More than <paramref name="maximum"/>, or past the writer's maximum.</exception>
    public void WriteCount(int count, int maximum = int.MaxValue)
    {
        if (count > maximum)
            ThrowTooLong(count, maximum);
        WriteInt32(count);
    }

    /// <summary>
    /// Room for an <c>opaque x&lt;&gt;</c> that is filled in place (a read from a file). Until <see cref="CommitOpaque"/> nothing else
    /// may be written; moving <see cref="Position"/> gives the reservation up.
    /// </summary>
    /// <param name="length">The most bytes that will be filled.</param>
    /// <returns>Memory of exactly that length.</returns>
    /// <exception cref="XdrException">Past the writer's maximum.</exception>
    public Memory<byte> ReserveOpaque(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        int start = _position;
        if ((long)length + 4 + XdrReader.Padding(length) > Available)
            ThrowFull(length);
        EnsureCapacity(start + 4 + length + XdrReader.Padding(length));
        _reserved = start;
        _reservedLength = length;
        return _buffer.AsMemory(start + 4, length);
    }

    /// <summary>Ends <see cref="ReserveOpaque"/>: writes the length that was filled, and the padding.</summary>
    /// <param name="length">Bytes filled, not more than were reserved.</param>
    /// <exception cref="InvalidOperationException">Nothing is reserved.</exception>
    public void CommitOpaque(int length)
    {
        if (_reserved != _position)
            throw new InvalidOperationException("No opaque is reserved at this position.");
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _reservedLength);
        _reserved = -1;
        WriteInt32(length);
        int padding = XdrReader.Padding(length);
        Take(length, padding)[length..].Clear();
    }

    /// <summary>Throws what a declared maximum that was passed throws; for generated code and writers by hand.</summary>
    /// <exception cref="XdrException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowTooLong(int length, int maximum) => throw new XdrException($"length {length} is past the maximum of {maximum}");

    /// <summary>Throws what a wrong fixed length throws; for generated code and writers by hand.</summary>
    /// <exception cref="XdrException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowWrongLength(int length, int due) => throw new XdrException($"length {length} where exactly {due} are due");

    /// <summary>Throws what a value that its enum or union does not have throws; for generated code and writers by hand.</summary>
    /// <exception cref="XdrException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowInvalid(string type, long value) =>
        throw new XdrException($"{value} is no value of {type}, or its arm is missing");

    /// <summary>Gives the buffer back to the pool; the writer is then empty and may be used again.</summary>
    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _position = 0;
        _written = 0;
        _reserved = -1;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private Span<byte> Take(int length, int padding = 0)
    {
        int start = _position;
        if ((long)length + padding > Available)
            ThrowFull(length);
        int end = start + length + padding;
        if (end > _buffer.Length)
            EnsureCapacity(end);
        _position = end;
        if (end > _written)
            _written = end;
        return _buffer.AsSpan(start, length + padding);
    }

    private void EnsureCapacity(int capacity)
    {
        if (capacity <= _buffer.Length)
            return;
        int size = Math.Max(Math.Max(capacity, SmallestBuffer), (int)Math.Min(2L * _buffer.Length, _maximum));
        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _written).CopyTo(larger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    [DoesNotReturn]
    private void ThrowFull(int wanted) =>
        throw new XdrException($"{wanted} bytes at byte {_position} are past the writer's maximum of {_maximum}") { IsWriterFull = true };
}
