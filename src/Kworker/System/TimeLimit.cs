namespace Kworker;

/// <summary>
/// The end of a time on a system's own clock, as a token. (A wait with a timeout follows the clock of the system that its caller belongs to.) Another token ends it, too.
/// </summary>
internal sealed class TimeLimit : TimedItem, IDisposable
{
    private readonly KworkerSystem _system;
    private readonly CancellationTokenSource _source;

    /// <param name="system">On whose clock.</param>
    /// <param name="limit">Negative: no end.</param>
    /// <param name="cancellationToken">Ends it, too.</param>
    internal TimeLimit(KworkerSystem system, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        _system = system;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (limit == TimeSpan.Zero)
            _source.Cancel();
        else if (limit > TimeSpan.Zero)
            system.Timers.Arm(this, limit);
    }

    internal CancellationToken Token => _source.Token;

    internal bool IsOver => _source.IsCancellationRequested;

    /// <summary>Who waits is made ready to go on, no more: nobody else has the token.</summary>
    internal override void Expire() => _source.Cancel();

    public void Dispose()
    {
        _system.Timers.CancelSync(this);
        _source.Dispose();
    }
}
