namespace Kworker;

/// <summary>Keeps the first bytes of an output and counts the rest.</summary>
/// <remarks>The reaper's thread alone fills it; who waited reads it after the end.</remarks>
internal sealed class HelperCapture(int limit)
{
    private const int FirstSize = 4096;

    private byte[] _bytes = [];
    private int _count;
    private long _total;

    /// <summary>Nobody wants it any more. Set by who stops waiting, once.</summary>
    private volatile bool _discarded;

    internal HelperOutput Output => _discarded ? default : new(_bytes.AsMemory(0, _count), _total);

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        _total += bytes.Length;
        if (_discarded)
        {
            _bytes = [];
            _count = 0;
            return;
        }
        int length = Math.Min(bytes.Length, limit - _count);
        if (length > _bytes.Length - _count)
            Array.Resize(ref _bytes, (int)Math.Min(limit, Math.Max(FirstSize, Math.Max(_count + length, 2L * _bytes.Length))));
        bytes[..length].CopyTo(_bytes.AsSpan(_count));
        _count += length;
    }

    /// <summary>From here on nothing is kept.</summary>
    internal void Discard() => _discarded = true;
}
