using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// Puts records together from the fragments of a byte stream (RFC 5531, 11). The claim of a fragment's header is checked against the
/// limit at once, but memory follows the bytes that have arrived, not the claim.
/// </summary>
[DebuggerDisplay("{_length} bytes of a record, {_missing} missing of the fragment")]
internal sealed class RecordReader(int maximumRecord) : IDisposable
{
    private const uint LastFragment = 0x8000_0000;

    private byte[] _buffer = []; // from ArrayPool; empty when there is none
    private int _length;
    private int _missing; // bytes of the current fragment that have not arrived
    private bool _last; // whether the current fragment is the record's last
    private bool _inFragment;

    /// <summary>Bytes of an unfinished record that are held.</summary>
    public int Held => _length;

    /// <summary>Whether a record has begun and not ended, its header included.</summary>
    public bool IsInsideRecord => _inFragment || _length > 0;

    /// <summary>Takes bytes from <paramref name="input"/> until a record is whole or the input is used up.</summary>
    /// <param name="input">What has arrived; afterwards, what was not used. A header that is not whole yet is left there.</param>
    /// <param name="record">The record, in an array from <see cref="ArrayPool{T}.Shared"/> that is the caller's now; null if there is
    /// none.</param>
    /// <param name="length">The record's bytes.</param>
    /// <exception cref="RecordTooLongException">A record is longer than the limit.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> input, out byte[]? record, out int length)
    {
        record = null;
        length = 0;
        while (true)
        {
            if (!_inFragment && !TryReadHeader(ref input))
                return false;
            if (_missing > 0 && !input.IsEmpty)
                TakeBytes(ref input);
            if (_missing > 0)
                return false;
            _inFragment = false;
            if (!_last)
                continue;
            record = _buffer;
            length = _length;
            _buffer = [];
            _length = 0;
            return true;
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _length = 0;
        _inFragment = false;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private bool TryReadHeader(ref ReadOnlySequence<byte> input)
    {
        if (input.Length < 4)
            return false;
        Span<byte> header = stackalloc byte[4];
        input.Slice(0, 4).CopyTo(header);
        input = input.Slice(4);
        uint word = BinaryPrimitives.ReadUInt32BigEndian(header);
        uint claimed = word & ~LastFragment;
        if (claimed > (uint)(maximumRecord - _length))
            throw new RecordTooLongException(
                $"a fragment of {claimed} bytes after {_length} bytes passes the record limit of {maximumRecord} bytes");
        _missing = (int)claimed;
        _last = (word & LastFragment) != 0;
        _inFragment = true;
        return true;
    }

    private void TakeBytes(ref ReadOnlySequence<byte> input)
    {
        int taken = (int)Math.Min(input.Length, _missing);
        if (_length + taken > _buffer.Length)
            Grow(taken);
        input.Slice(0, taken).CopyTo(_buffer.AsSpan(_length));
        input = input.Slice(taken);
        _length += taken;
        _missing -= taken;
    }

    // At least doubles, so that a record of many small arrivals is copied a bounded number of times, but never past what is claimed.
    private void Grow(int taken)
    {
        int due = _length + _missing;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(due, Math.Max(_length + taken, 2 * _length)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
