namespace Kworker.Lockd.Client;

/// <summary>One wait that ends when it is woken or after a time of the client's clock, on whichever thread it is awaited.</summary>
internal sealed class NlmAlarm
{
    private readonly Completion _woken = new();
    private readonly DelayedWork<NlmAlarm> _time;

    public NlmAlarm() => _time = new DelayedWork<NlmAlarm>(this, static alarm => alarm.Wake());

    /// <summary>Ends the wait, or the one that begins next. Thread-safe.</summary>
    public void Wake() => _woken.CompleteAll();

    /// <summary>Waits. Used once.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask WaitAsync(NlmClient client, TimeSpan delay, CancellationToken cancellationToken)
    {
        client.Queue.Queue(_time, delay);
        Interlocked.Increment(ref client.Waits);
        try
        {
            await _woken.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref client.Waits);
            // Not Sync: a work item may wait here, and what is left of the timer does no harm.
            _time.Cancel();
        }
    }
}
