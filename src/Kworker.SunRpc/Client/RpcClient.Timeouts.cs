namespace Kworker.SunRpc;

// Time-outs: one delayed work item scans all calls in flight and arms itself again (as ceph_osd_client.timeout_work does); none has a timer.

internal sealed partial class RpcClient
{
    /// <summary>
    /// Armed for <see cref="_scanDue"/> or earlier, or running and about to look, while any call is in flight: whoever adds a call or moves
    /// a deadline does it under the lock and arms the scan there; the scan takes the same lock to look and to arm itself.
    /// </summary>
    private readonly DelayedWork<RpcClient> _scan;

    private long _scanDue = long.MaxValue; // _lock; time stamp
    private bool _isSilent; // _lock; "not responding" has been said, and no reply has come since

    /// <summary>Scans are at least this far apart: many calls that are due one after the other are found by one.</summary>
    private TimeSpan ScanGranule => _timeouts.Initial / 16;

    /// <summary>The time that calls may take starts now. Under the lock.</summary>
    private void StartClock(RpcTask task)
    {
        long now = _time.GetTimestamp();
        task.Timeout = _timeouts.Initial;
        task.Deadline = now + Units(task.Timeout);
        task.MajorDeadline = now + Units(_timeouts.Major);
        ArmScan(task.Deadline, now);
    }

    // Under the lock.
    private void ArmScan(long due, long now)
    {
        if (due >= _scanDue)
            return;
        _scanDue = due;
        _queue.Modify(_scan, _time.GetElapsedTime(now, due));
    }

    /// <summary>The work function: sends again what has waited long enough, gives up what has lost patience.</summary>
    private void ScanTimeouts()
    {
        List<RpcTask>? failed = null;
        bool isSilentNow = false;
        bool sendsAgain = false;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            long now = _time.GetTimestamp();
            long earliest = long.MaxValue;
            foreach (RpcTask task in _inFlight.Values)
            {
                if (task.Deadline <= now && IsOver(task, now, ref isSilentNow))
                {
                    (failed ??= []).Add(task);
                    continue;
                }
                if (task.Deadline <= now)
                {
                    task.Deadline = now + Units(task.Timeout);
                    sendsAgain |= LineAgain(task);
                }
                earliest = Math.Min(earliest, task.Deadline);
            }
            foreach (RpcTask task in failed ?? [])
            {
                TakeOut(task);
                task.Error = new RpcTimeoutException($"server {_name} not responding, timed out");
            }
            // With nothing in flight it rests; the next call arms it.
            _scanDue = long.MaxValue;
            if (earliest != long.MaxValue)
                ArmScan(Math.Max(earliest, now + Units(ScanGranule)), now);
            isSilentNow &= !_isSilent;
            _isSilent |= isSilentNow;
        }
        if (isSilentNow)
            SayNotResponding();
        if (sendsAgain || failed is not null)
            KickTransmit();
        foreach (RpcTask task in failed ?? [])
            task.Finish();
    }

    /// <summary>What the end of a wait means for a call (<c>xprt_adjust_timeout</c>): true if it fails. Under the lock.</summary>
    private bool IsOver(RpcTask task, long now, ref bool isSilentNow)
    {
        if (now < task.MajorDeadline)
        {
            task.Timeout = _timeouts.After(task.Timeout);
            // Not past the end of patience: the last wait is cut.
            TimeSpan left = _time.GetElapsedTime(now, task.MajorDeadline);
            if (task.Timeout > left)
                task.Timeout = left;
            return false;
        }
        isSilentNow = true;
        if (_options.IsSoft)
            return true;
        task.Timeout = _timeouts.Initial;
        task.MajorDeadline = now + Units(_timeouts.Major);
        return false;
    }

    private void SayNotResponding()
    {
        if (_options.IsSoft)
            RpcClientLog.TimedOut(_logger, _name);
        else
            RpcClientLog.NotResponding(_logger, _name);
        RaiseResponding(false);
    }

    private long Units(TimeSpan time) => (long)((Int128)time.Ticks * _time.TimestampFrequency / TimeSpan.TicksPerSecond);
}
