namespace Kworker.Apps.Nfsd.Systemd;

/// <summary>
/// Tells systemd again and again that the server lives, by a work item on the pool that runs clients' calls: where no item is run any more, nobody says so, and systemd
/// restarts the service.
/// </summary>
internal sealed class SystemdWatchdog : IAsyncDisposable
{
    private readonly SystemdNotifier _notifier;
    private readonly TimeSpan _interval;
    private readonly Workqueue _queue;
    private readonly DelayedWork<SystemdWatchdog> _tell;

    private SystemdWatchdog(SystemdNotifier notifier, TimeSpan limit, KworkerSystem? system)
    {
        _notifier = notifier;
        _interval = limit / 2; // sd_watchdog_enabled(3)
        _queue = new Workqueue("systemd-watchdog", new WorkqueueOptions(), system);
        _tell = new DelayedWork<SystemdWatchdog>(this, static watchdog => watchdog.Tell());
    }

    /// <summary>Begins; null where systemd does not wait for it.</summary>
    public static SystemdWatchdog? Start(ServiceEnvironment environment, SystemdNotifier notifier, KworkerSystem? system = null)
    {
        if (environment.WatchdogLimit is not { } limit)
            return null;
        var watchdog = new SystemdWatchdog(notifier, limit, system);
        watchdog._queue.Queue(watchdog._tell, watchdog._interval);
        return watchdog;
    }

    public async ValueTask DisposeAsync()
    {
        await _tell.CancelSyncAsync();
        await _queue.DisposeAsync();
    }

    private void Tell()
    {
        _queue.Queue(_tell, _interval);
        _notifier.Alive();
    }
}
