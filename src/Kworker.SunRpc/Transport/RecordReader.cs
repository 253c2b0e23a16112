using System.Buffers;
using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// Puts records together from the fragments of a byte stream (RFC 5531, 11). The claim of a fragment's header is checked against the
/// limit at once, but memory follows the bytes that have arrived, not the claim, unless whoever reads has vouched for it.
/// </summary>
[DebuggerDisplay("{_length} bytes of a record, {_missing} missing of the fragment")]
internal sealed class RecordReader(int maximumRecord) : IDisposable
{
    private const uint LastFragment = 0x8000_0000;
    private const int HeaderSize = 4;
    private const int LeastRoom = 8 << 10; // less is not worth a receive of its own

    private byte[] _buffer = []; // from ArrayPool; empty when there is none
    private int _length;
    private int _missing; // bytes of the current fragment that have not arrived
    private bool _last; // whether the current fragment is the record's last
    private bool _inFragment;
    private uint _header; // what has arrived of the next fragment's header
    private int _headerLength; // its bytes

    /// <summary>Bytes of an unfinished record that are held.</summary>
    public int Held => _length;

    /// <summary>Whether a record has begun and not ended, its header included.</summary>
    public bool IsInsideRecord => _inFragment || _length > 0 || _headerLength > 0;

    /// <summary>Takes bytes from <paramref name="input"/> until a record is whole or the input is used up.</summary>
    /// <param name="input">What has arrived; afterwards, what was not used: nothing, unless a record is whole.</param>
    /// <param name="record">The record, in an array from <see cref="ArrayPool{T}.Shared"/> that is the caller's now; null if there is
    /// none.</param>
    /// <param name="length">The record's bytes.</param>
    /// <exception cref="RecordTooLongException">A record is longer than the limit.</exception>
    public bool TryRead(ref ReadOnlySpan<byte> input, out byte[]? record, out int length)
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

    /// <summary>
    /// Where the next bytes of a long fragment may be put directly, without a copy; empty if there is no such. Then <see cref="Advance"/>, and
    /// <see cref="TryRead"/>.
    /// </summary>
    /// <param name="isVouchedFor">Whether memory may be had for all that is claimed; otherwise for as much again as has arrived.</param>
    public Memory<byte> Room(bool isVouchedFor)
    {
        if (_missing < LeastRoom || _length < LeastRoom)
            return default;
        int due = _length + _missing;
        int wanted = isVouchedFor ? due : (int)Math.Min(due, 2L * _length);
        if (_buffer.Length < wanted)
            Resize(wanted);
        return _buffer.AsMemory(_length, Math.Min(_missing, _buffer.Length - _length));
    }

    /// <summary>Takes bytes that have been put into <see cref="Room"/>.</summary>
    public void Advance(int bytes)
    {
        _length += bytes;
        _missing -= bytes;
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _length = 0;
        _inFragment = false;
        _headerLength = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private bool TryReadHeader(ref ReadOnlySpan<byte> input)
    {
        while (_headerLength < HeaderSize)
        {
            if (input.IsEmpty)
                return false;
            _header = (_header << 8) | input[0];
            _headerLength++;
            input = input[1..];
        }
        _headerLength = 0;
        uint claimed = _header & ~LastFragment;
        if (claimed > (uint)(maximumRecord - _length))
            throw new RecordTooLongException(
                $"a fragment of {claimed} bytes after {_length} bytes passes the record limit of {maximumRecord} bytes");
        _missing = (int)claimed;
        _last = (_header & LastFragment) != 0;
        _inFragment = true;
        return true;
    }

    private void TakeBytes(ref ReadOnlySpan<byte> input)
    {
        int taken = Math.Min(input.Length, _missing);
        if (_length + taken > _buffer.Length)
            Grow(taken);
        input[..taken].CopyTo(_buffer.AsSpan(_length));
        input = input[taken..];
        Advance(taken);
    }

    // At least doubles, so that a record of many small arrivals is copied a bounded number of times, but never past what is claimed.
    private void Grow(int taken) => Resize((int)Math.Min(_length + (long)_missing, Math.Max(_length + taken, 2L * _length)));

    private void Resize(int size)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
