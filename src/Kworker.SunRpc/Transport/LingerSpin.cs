using System.Diagnostics;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>
/// How long the reader of one connection looks for the next call before it sleeps. A client that sends one call after the other sends the next within some tens of
/// microseconds; to put a processor to sleep and wake it again takes as long, on a virtual machine longer. So a reader looks for as long as a wake-up may take, while it pays: a wait
/// that was short, awake or asleep, lets the next one spin for the full time; each that was long halves that, to nothing. With one processor it never spins.
/// </summary>
/// <remarks>A mutable struct, the reader's. The rule is that of the core's <c>AdaptiveSpin</c>, which looks at a word; here a look is a system call.</remarks>
internal struct LingerSpin
{
    private const int LooksAtOnce = 4; // between looks at the clock, and between letting others run

    private static readonly long s_microsecond = Math.Max(1, Stopwatch.Frequency / 1_000_000);
    private static readonly long s_most = Environment.ProcessorCount > 1 ? 100 * s_microsecond : 0;

    private long _limit; // of the next wait, ticks of Stopwatch
    private long _began;

    /// <summary>A wait begins. Looks for a while, unless it does not pay; true when there is something to read: the wait is over.</summary>
    public bool Begin(Socket socket, ConnectionPoller poller)
    {
        _began = Stopwatch.GetTimestamp();
        if (_limit == 0 || !poller.TryBeginSpin())
            return false;
        try
        {
            do
            {
                for (int i = 0; i < LooksAtOnce; i++)
                {
                    if (socket.Poll(0, SelectMode.SelectRead))
                        return true;
                }
                Thread.Yield();
            }
            while (Stopwatch.GetTimestamp() - _began < _limit);
            return false;
        }
        finally
        {
            poller.EndSpin();
        }
    }

    /// <summary>The wait is over.</summary>
    public void End()
    {
        if (Stopwatch.GetTimestamp() - _began <= s_most)
            _limit = s_most;
        else if ((_limit /= 2) < 5 * s_microsecond)
            _limit = 0;
    }
}
