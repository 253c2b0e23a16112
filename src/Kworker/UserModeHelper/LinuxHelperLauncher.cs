namespace Kworker;

/// <summary>posix_spawn, and one reaper for all.</summary>
internal sealed class LinuxHelperLauncher : HelperLauncher
{
    private readonly Lock _lock = new();
    private HelperReaper? _reaper; // under _lock; made with the first helper
    private Thread? _thread; // under _lock; made with the reaper
    private bool _stopped; // under _lock

    internal override int Count => _reaper?.Count ?? 0;

    /// <summary>The process ids of the helpers that were not reaped yet.</summary>
    internal int[] ProcessIds => _reaper?.ProcessIds ?? [];

    internal override int Start(string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp, Action<int>? ended)
    {
        // The kernel refuses to execute anything without an argv; the exec of a user gets an empty argv[0] instead.
        if (argv.Count == 0)
            return -Errno.EINVAL;
        using var arguments = new HelperArguments(path, argv, envp);

        HelperReaper? reaper = GetReaper(out int error);
        if (reaper is null)
            return -error;
        if (!reaper.TryReserve())
            return -Errno.EBUSY;
        error = HelperSpawn.Spawn(arguments, out int pid);
        if (error != 0)
        {
            reaper.Release();
            return -error;
        }
        reaper.Register(pid, ended);
        return 0;
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
