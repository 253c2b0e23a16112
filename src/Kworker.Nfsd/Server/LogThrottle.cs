using System.Diagnostics;

namespace Kworker.Nfsd.Server;

/// <summary>Lets a log have so many lines a second and no more, for what strangers can cause as often as they like. Thread-safe.</summary>
[DebuggerDisplay("{_left} left")]
internal sealed class LogThrottle(TimeProvider clock)
{
    public const int LinesPerSecond = 20;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _start = clock.GetTimestamp(); // _lock; of the second that counts
    private int _left = LinesPerSecond; // _lock

    /// <summary>Whether another line may be written.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            if (clock.GetElapsedTime(_start) >= s_second)
            {
                _start = clock.GetTimestamp();
                _left = LinesPerSecond;
            }
            if (_left == 0)
                return false;
            _left--;
            return true;
        }
    }
}
