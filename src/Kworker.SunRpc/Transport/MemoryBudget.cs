using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// What all connections of a server together may hold of requests and replies. Past it a connection that holds more than a little pauses
/// until others have let go; small calls go on, so that nobody is shut out by those who hold much.
/// </summary>
/// <remarks>
/// Charged are calls in flight, which end by themselves, and records that outgrew that little: such a one reserves the greatest length at
/// once, and can then be finished whatever the others do. The little itself is not charged. So nobody who is charged waits for the budget:
/// were records charged as they grow, unfinished ones could fill it and wait for each other. In all, connections hold the bound, one request
/// that passes it, and what each may always hold. Thread-safe.
/// </remarks>
[DebuggerDisplay("{_held} of {maximum} bytes, {_paused.Count} paused")]
internal sealed class MemoryBudget(long maximum)
{
    /// <summary>Bytes of an unfinished record, or of calls, that a connection may hold whatever the others do.</summary>
    public const long AlwaysGranted = 64 << 10;

    private readonly Lock _lock = new();
    private readonly HashSet<TcpConnection> _paused = []; // _lock
    private long _held; // interlocked

    /// <summary>Bytes held by all connections.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Whether there is room.</summary>
    public bool HasRoom => Held < maximum;

    /// <summary>Counts bytes if there is room; it may end with that.</summary>
    public bool TryTake(long bytes)
    {
        long held = Held;
        while (held < maximum)
        {
            long seen = Interlocked.CompareExchange(ref _held, held + bytes, held);
            if (seen == held)
                return true;
            held = seen;
        }
        return false;
    }

    /// <summary>Counts bytes that a connection took, or (negative) let go; the latter may end others' pause.</summary>
    public void Change(long bytes)
    {
        long after = Interlocked.Add(ref _held, bytes);
        bool opens = after < maximum && after - bytes >= maximum;
        if (!opens)
            return;
        TcpConnection[] paused;
        lock (_lock)
            paused = [.. _paused];
        foreach (TcpConnection connection in paused)
            connection.WakeReader();
    }

    /// <summary>
    /// Has the connection woken when there is room again. Said before it looks for the last time, so that no wake-up is lost.
    /// </summary>
    public void Pause(TcpConnection connection)
    {
        lock (_lock)
            _paused.Add(connection);
    }

    /// <summary>The connection waits no longer.</summary>
    public void Resume(TcpConnection connection)
    {
        lock (_lock)
            _paused.Remove(connection);
    }
}
