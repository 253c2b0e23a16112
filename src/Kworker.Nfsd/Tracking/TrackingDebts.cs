using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// What the record says too much, because the helper failed to take it out or has not done so in time: clients that are gone (<c>remove</c>), and those that did not
/// come back in grace (<c>gracedone</c>). While there is any the record is not to be believed, and a delayed work tries again, with growing pauses. Thread-safe.
/// </summary>
/// <remarks>
/// The kernel forgets a failure of either. What it risks: who is left in the record takes back, after the next restart, what others have had since. Trying
/// again later is as good as the first time: <c>remove</c> of who is not in the record changes nothing, <c>gracedone</c> takes out what is older than this life
/// of the server, and whoever came in this life is younger.
/// </remarks>
internal sealed class TrackingDebts : IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly TrackingTrust _trust;
    private readonly Workqueue _queue;
    private readonly UmhTrackingOptions _options;
    private readonly DelayedWork<TrackingDebts> _again;
    private readonly Func<ValueTask> _payAsync;
    private readonly Lock _lock = new(); // before that of _trust
    private readonly Dictionary<string, TrackedClient> _clients = new(StringComparer.Ordinal); // _lock: by name
    private bool _graceDone; // _lock
    private bool _isBeyondRepair; // _lock: only an empty record helps
    private TimeSpan _pause; // _lock

    /// <summary>None but what the life before left.</summary>
    /// <param name="trust">Says on disk whether there are any.</param>
    /// <param name="queue">Where to try again.</param>
    /// <param name="options">How long to wait before.</param>
    /// <param name="logger">Hears when there are none any more.</param>
    /// <param name="payAsync">Tries to pay all that are <see cref="Open"/>.</param>
    public TrackingDebts(TrackingTrust trust, Workqueue queue, UmhTrackingOptions options, ILogger logger, Func<ValueTask> payAsync)
    {
        _logger = logger;
        _trust = trust;
        _queue = queue;
        _options = options;
        _payAsync = payAsync;
        _pause = options.RetryDelay;
        _isBeyondRepair = trust.WasDistrusted;
        _again = new DelayedWork<TrackingDebts>(this, static (debts, _) => debts.TryAgainAsync());
    }

    /// <summary>What there is to pay by calling the helper again.</summary>
    public (bool GraceDone, TrackedClient[] Clients) Open
    {
        get
        {
            lock (_lock)
                return _isBeyondRepair ? (false, []) : (_graceDone, [.. _clients.Values]);
        }
    }

    /// <summary>A client that is gone is in the record. On disk when it returns.</summary>
    public void OweRemove(TrackedClient client)
    {
        lock (_lock)
        {
            _clients[client.HexId] = client;
            Distrust();
        }
    }

    /// <summary>Clients that did not come back are in the record. On disk when it returns.</summary>
    public void OweGraceDone()
    {
        lock (_lock)
        {
            _graceDone = true;
            Distrust();
        }
    }

    /// <summary>The record was not kept while the helper was away. On disk when it returns.</summary>
    public void OweAll()
    {
        lock (_lock)
        {
            _isBeyondRepair = true;
            Distrust();
        }
    }

    /// <summary>Whether the record names a client that is gone, and no other instance of it.</summary>
    public bool OwesRemove(string hexId)
    {
        lock (_lock)
            return _clients.ContainsKey(hexId);
    }

    /// <summary>The record does not name the client, or names a living instance of it.</summary>
    public void PayRemove(string hexId)
    {
        lock (_lock)
        {
            if (_clients.Remove(hexId))
                TrustIfPaid();
        }
    }

    /// <summary>Who did not come back is out of the record.</summary>
    public void PayGraceDone()
    {
        lock (_lock)
        {
            if (!_graceDone)
                return;
            _graceDone = false;
            TrustIfPaid();
        }
    }

    /// <summary>The record is empty, but for those of now.</summary>
    public void PayAll()
    {
        lock (_lock)
        {
            _clients.Clear();
            _graceDone = false;
            _isBeyondRepair = false;
            TrustIfPaid();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _again.CancelSyncAsync();
        await _payAsync(); // the last chance before the next start finds them
        await _again.CancelSyncAsync();
    }

    // _lock
    private void Distrust()
    {
        _trust.Distrust();
        if (!_isBeyondRepair)
            _queue.Queue(_again, _pause);
    }

    // _lock: a debt that comes now comes after, and is not overlooked.
    private void TrustIfPaid()
    {
        if (_clients.Count > 0 || _graceDone || _isBeyondRepair)
            return;
        if (_trust.IsDistrusted)
            TrackingLog.MadeGood(_logger);
        _trust.Trust();
        _pause = _options.RetryDelay;
    }

    private async ValueTask TryAgainAsync()
    {
        lock (_lock)
            _pause = _pause * 2 < _options.MaxRetryDelay ? _pause * 2 : _options.MaxRetryDelay;
        await _payAsync();
        lock (_lock)
        {
            if (!_isBeyondRepair && (_clients.Count > 0 || _graceDone))
                _queue.Queue(_again, _pause);
        }
    }
}
