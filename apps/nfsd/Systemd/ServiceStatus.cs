using System.Globalization;
using Kworker.Nfsd.Exports;

namespace Kworker.Apps.Nfsd.Systemd;

/// <summary>What <c>systemctl status</c> shows of the server: what it serves, whether the grace period goes on, and whether the last reload was refused.</summary>
internal sealed class ServiceStatus : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly SystemdNotifier _notifier;
    private readonly Func<TimeSpan?> _graceLeft;
    private readonly Func<DateTimeOffset> _now;
    private readonly Workqueue _queue;
    private readonly DelayedWork<ServiceStatus> _watchGrace;
    private readonly Lock _lock = new(); // held while it is told, too, so that what was told last is what holds
    private string _served = ""; // _lock
    private string? _refusal; // _lock

    /// <param name="notifier">Is told.</param>
    /// <param name="graceLeft">How long the grace period goes on at most; null when there is none.</param>
    /// <param name="system">Whose clock it is; the current one if null.</param>
    public ServiceStatus(SystemdNotifier notifier, Func<TimeSpan?> graceLeft, KworkerSystem? system = null)
    {
        _notifier = notifier;
        _graceLeft = graceLeft;
        TimeProvider clock = (system ?? KworkerSystem.Current).TimeProvider;
        _now = clock.GetLocalNow;
        _queue = new Workqueue("systemd-status", new WorkqueueOptions(), system);
        _watchGrace = new DelayedWork<ServiceStatus>(this, static status => status.WatchGrace());
    }

    /// <summary>What is served from now on; told by <see cref="Ready"/>.</summary>
    public void Serve(IReadOnlyList<Export> exports)
    {
        lock (_lock)
        {
            _served = StartupLine.Served(exports);
            _refusal = null;
        }
    }

    /// <summary>It was not reloaded, and why; told by <see cref="Ready"/>.</summary>
    public void Refuse(string reason)
    {
        lock (_lock)
            _refusal = reason;
    }

    /// <summary>Tells that it serves, and how it stands; from then on also when the grace period is over.</summary>
    public void Ready()
    {
        lock (_lock)
            _notifier.Ready(Text + GraceText());
    }

    private string Text => $"Serving {_served}{(_refusal is null ? "" : $"; the last reload was refused: {_refusal}")}";

    public async ValueTask DisposeAsync()
    {
        await _watchGrace.CancelSyncAsync();
        await _queue.DisposeAsync();
    }

    // When it ends at the latest is known; that it ends earlier is only seen by looking.
    private void WatchGrace()
    {
        lock (_lock)
        {
            if (_graceLeft() is null)
                _notifier.Status(Text);
            else
                _queue.Queue(_watchGrace, s_interval);
        }
    }

    private string GraceText()
    {
        if (!_notifier.IsHeard || _graceLeft() is not { } left)
            return "";
        _queue.Queue(_watchGrace, s_interval);
        string end = (_now() + left).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        return $"; grace period until {end} at the latest: clients take back what they held, nobody gets anything new";
    }
}
