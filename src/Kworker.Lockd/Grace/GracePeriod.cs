using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Grace;

/// <summary>
/// The time after a start in which clients get back what they held, and nobody gets anything new (<c>set_grace_period</c>,
/// <c>grace_ender</c>): one delayed work item for each server instance, cancelled synchronously and armed anew when the period is set again.
/// Thread-safe.
/// </summary>
[DebuggerDisplay("{_ender.IsPending}")]
internal sealed class GracePeriod
{
    /// <summary>What lockd has unless told otherwise: its <c>nlm_timeout</c> of 10 s, five times.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(50);

    private readonly GraceManagers _managers;
    private readonly Workqueue _queue;
    private readonly ILogger _logger;
    private readonly Action? _ended;
    private readonly TimeProvider _time;
    private readonly Lock _setting = new(); // one at a time cancels and arms; the work function does not take it, so that it may be held meanwhile
    private readonly DelayedWork<GracePeriod> _ender; // armed under _setting
    private bool _isClosed; // _setting
    private long _endsAt; // a timestamp; 0 when it has not begun or is over. Written under _setting or by the end, read without

    /// <summary>A period that has not begun.</summary>
    /// <param name="managers">Where it counts. This object is the manager.</param>
    /// <param name="queue">Where its end runs; outlives it.</param>
    /// <param name="logger">Told of beginning and end.</param>
    /// <param name="time">The queue's clock, by which <see cref="Left"/> is told.</param>
    /// <param name="ended">Called when it is over, in the queue or by whoever called <see cref="End"/>.</param>
    public GracePeriod(GraceManagers managers, Workqueue queue, ILogger logger, Action? ended = null, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _ended = ended;
        _managers = managers;
        _queue = queue;
        _logger = logger;
        _ender = new DelayedWork<GracePeriod>(this, static period => period.EndGrace());
    }

    /// <summary>How long it goes on; null when it has not begun, or is over.</summary>
    public TimeSpan? Left
    {
        get
        {
            long endsAt = Volatile.Read(ref _endsAt);
            return endsAt == 0 ? null : TimeSpan.FromSeconds(Math.Max(0, (double)(endsAt - _time.GetTimestamp()) / _time.TimestampFrequency));
        }
    }

    /// <summary>Begins the period, or begins it anew: it ends <paramref name="length"/> from now, whatever was set before.</summary>
    /// <remarks>Blocks while an end that was due runs. Does nothing after <see cref="Close"/>.</remarks>
    public void Set(TimeSpan length)
    {
        lock (_setting)
        {
            if (_isClosed)
                return;
            // In grace first, and again after an end that was running: in between nobody slips through but by that end, which was due.
            _managers.Start(this);
            _ender.CancelSync();
            _managers.Start(this);
            LockdLog.GraceBegins(_logger, length.TotalSeconds);
            Volatile.Write(ref _endsAt, _time.GetTimestamp() + (long)(length.TotalSeconds * _time.TimestampFrequency));
            _queue.Queue(_ender, length);
        }
    }

    /// <summary>Ends the period now. Blocks while an end that was due runs.</summary>
    public void End()
    {
        lock (_setting)
        {
            _ender.CancelSync();
            EndGrace();
        }
    }

    /// <summary>
    /// Ends the period for good: what is set afterwards has no effect. For the server's shutdown, which is not the end that <c>ended</c> is told of: nobody has
    /// had his time.
    /// </summary>
    public void Close()
    {
        lock (_setting)
        {
            _isClosed = true;
            _ender.CancelSync();
            _managers.End(this);
        }
    }

    // grace_ender
    private void EndGrace()
    {
        if (!_managers.End(this))
            return;
        Volatile.Write(ref _endsAt, 0);
        LockdLog.GraceEnds(_logger);
        _ended?.Invoke();
    }
}
