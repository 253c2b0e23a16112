namespace Kworker;

/// <summary>posix_spawn, and one reaper for all.</summary>
internal sealed class LinuxHelperLauncher : HelperLauncher
{
    /// <summary>
    /// How long a caller that nothing can interrupt waits for its child itself. Most helpers are over by then; for the others the wake-up
    /// by the reaper costs nothing that shows, and the caller waits in sight of those who look for hung tasks.
    /// </summary>
    private const int DirectWaitMilliseconds = 1000;

    private readonly Lock _lock = new();
    private HelperReaper? _reaper; // under _lock; made with the first helper
    private Thread? _thread; // under _lock; made with the reaper
    private bool _stopped; // under _lock

    internal override int Count => _reaper?.Count ?? 0;

    /// <summary>The process ids of the helpers that were not reaped yet.</summary>
    internal int[] ProcessIds => _reaper?.ProcessIds ?? [];

    internal override HelperStatus Start(HelperProgram program, Action<int>? ended) => Launch(program, ended, waitMilliseconds: 0);

    internal override HelperStatus Run(HelperProgram program, Action<int> ended) =>
        Launch(program, ended, program.HasStreams ? 0 : DirectWaitMilliseconds);

    private HelperStatus Launch(HelperProgram program, Action<int>? ended, int waitMilliseconds)
    {
        // The kernel refuses to execute anything without an argv; the exec of a user gets an empty argv[0] instead.
        if (program.Arguments.Count == 0)
            return HelperStatus.ExecFailed(Errno.EINVAL);

        HelperReaper? reaper = GetReaper(out int error);
        if (reaper is null)
            return HelperStatus.ExecFailed(error);
        if (!reaper.TryReserve())
            return HelperStatus.ExecFailed(Errno.EBUSY);
        HelperStatus status = default;
        HelperPipes? pipes;
        int pid;
        try
        {
            status = HelperSpawn.Spawn(program, out pid, out pipes);
        }
        finally
        {
            if (status.Outcome != HelperOutcome.Started)
                reaper.Release();
        }
        if (Listeners.Helper)
            TracePoints.HelperExecuted(program.Path, status.Outcome == HelperOutcome.Started ? pid : 0, status.Raw);
        if (status.Outcome != HelperOutcome.Started)
        {
            Ledger.NotStarted(program.Path, status);
            return status;
        }

        Action<int> noted = Ledger.Started(program.Path, pid, ended);
        if (waitMilliseconds == 0)
        {
            reaper.Register(pid, noted, pipes);
        }
        else if (reaper.WaitOrRegister(pid, waitMilliseconds, noted, out int waitStatus))
        {
            Ledger.Ended(pid, waitStatus);
            return HelperStatus.Ended(waitStatus);
        }

        return status;
    }

    internal override void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            _reaper?.Stop();
        }
    }

    /// <summary>Waits until the reaper ended: after <see cref="Stop"/>, and the last helper.</summary>
    internal void Join() => _thread?.Join();

    private HelperReaper? GetReaper(out int error)
    {
        lock (_lock)
        {
            error = _stopped ? Errno.EBUSY : 0;
            if (_stopped || _reaper is not null)
                return _stopped ? null : _reaper;
            HelperReaper? reaper = HelperReaper.TryCreate(out error);
            if (reaper is null)
                return null;

            // Not a kthread: it outlives the system that it was made for by as long as its last helper runs.
            try
            {
                _thread = new Thread(reaper.Run) { Name = HelperReaper.Name, IsBackground = true };
                _thread.Start();
            }
            catch (OutOfMemoryException)
            {
                // No thread to be had. Told to stop, the body closes its descriptors and returns at once.
                _thread = null;
                reaper.Stop();
                reaper.Run();
                error = Errno.EAGAIN;
                return null;
            }
            return _reaper = reaper;
        }
    }
}
