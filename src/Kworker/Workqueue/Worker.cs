namespace Kworker;

/// <summary>What a work function may tell the worker that runs it. On any other thread both do no more than their names say.</summary>
public static class Worker
{
    /// <summary>
    /// Announces that the calling work function may block where this library cannot see it (a system call, a lock): until the scope ends, its
    /// worker does not count as running, and its pool lets another one go on with waiting work at once. Waits of this library do so by themselves.
    /// Scopes may nest. <code>using var _ = Worker.Blocking();</code>
    /// </summary>
    public static BlockingScope Blocking() => new(PoolWorker.Current);

    /// <summary>Sleeps on the clock of the current <see cref="KworkerSystem"/>; the worker hands its place on meanwhile.</summary>
    /// <param name="time">How long; no less than this. Negative: until the token is cancelled.</param>
    /// <param name="cancellationToken">Ends the sleep by an exception.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void Sleep(TimeSpan time, CancellationToken cancellationToken = default) => new Completion().Wait(time, default, cancellationToken);
}

/// <summary>See <see cref="Worker.Blocking"/>. Ends on the thread that it began on.</summary>
public readonly ref struct BlockingScope
{
    private readonly PoolWorker? _worker;

    internal BlockingScope(PoolWorker? worker)
    {
        _worker = worker;
        worker?.BeginBlocking();
    }

    /// <summary>The work function runs again.</summary>
    public void Dispose() => _worker?.EndBlocking();
}
