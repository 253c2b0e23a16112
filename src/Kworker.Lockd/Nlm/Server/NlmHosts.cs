using System.Diagnostics;
using System.Net;
using Kworker.Lockd.Nsm;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nlm;

/// <summary>The clients known, each with a count of its calls; those that hold nothing are forgotten after a while. Thread-safe.</summary>
[DebuggerDisplay("{_hosts.Count} hosts")]
internal sealed class NlmHosts
{
    private readonly record struct Key(IPAddress Address, string Name);

    private readonly NlmServerOptions _options;
    private readonly INsm? _nsm;
    private readonly TimeProvider _time;
    private readonly Workqueue _queue;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<Key, NlmHost> _hosts = []; // _lock
    private readonly Dictionary<IPAddress, int> _names = []; // _lock; how many hosts there are at an address
    private readonly DelayedWork<NlmHosts> _collector; // pending while there are hosts
    private bool _isFull; // _lock; the limit was met, and said to the log
    private bool _isClosed; // _lock

    public NlmHosts(NlmServerOptions options, INsm? nsm, TimeProvider time, Workqueue queue, ILogger logger)
    {
        _options = options;
        _nsm = nsm;
        _time = time;
        _queue = queue;
        _logger = logger;
        _collector = new DelayedWork<NlmHosts>(this, static hosts => hosts.Collect());
    }

    /// <summary>Hosts known.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _hosts.Count;
        }
    }

    /// <summary>A host, made if need be; to be given back by <see cref="Release"/>. Null if the name is none, or there are too many.</summary>
    public NlmHost? Acquire(IPAddress address, ReadOnlySpan<byte> name)
    {
        // What Linux does not take for a name either; NSM may keep it as a file's.
        if (name.IsEmpty || name.ContainsAny((byte)'/', (byte)0))
            return null;
        var key = new Key(address, global::System.Text.Encoding.Latin1.GetString(name));
        bool newlyFull;
        lock (_lock)
        {
            if (_hosts.TryGetValue(key, out NlmHost? host))
            {
                host.References++;
                return host;
            }
            if (_hosts.Count < _options.MaximumHosts && _names.GetValueOrDefault(address) < _options.MaximumNamesPerAddress)
            {
                _names[address] = _names.GetValueOrDefault(address) + 1;
                host = new NlmHost(address, key.Name) { References = 1 };
                _hosts.Add(key, host);
                if (!_isClosed)
                    _queue.Queue(_collector, CollectInterval); // does nothing if it is pending
                return host;
            }
            newlyFull = !_isFull;
            _isFull = true;
        }
        if (newlyFull)
            LockdLog.TooManyHosts(_logger, address, Count);
        return null;
    }

    /// <summary>As <see cref="Acquire"/>, null if it is not known.</summary>
    public NlmHost? Find(IPAddress address, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            if (!_hosts.TryGetValue(new Key(address, global::System.Text.Encoding.Latin1.GetString(name)), out NlmHost? host))
                return null;
            host.References++;
            return host;
        }
    }

    /// <summary>Ends a use.</summary>
    public void Release(NlmHost host)
    {
        lock (_lock)
        {
            host.References--;
            host.LastUse = _time.GetTimestamp();
        }
    }

    /// <summary>Has NSM monitor the host, if it does not yet: when this returns true the host is on disk.</summary>
    /// <param name="host">The host.</param>
    /// <param name="local">The address of ours that its call came by.</param>
    /// <remarks>Blocks.</remarks>
    public bool Monitor(NlmHost host, IPAddress local)
    {
        if (_nsm is null)
            return true; // Nobody will tell anybody of a reboot; that is what was asked for.
        lock (host.Monitoring)
        {
            if (!host.IsMonitored)
                host.IsMonitored = _nsm.Monitor(host.Name, host.Address, local);
            if (!host.IsMonitored)
                LockdLog.NotMonitored(_logger, host.ToString());
            return host.IsMonitored;
        }
    }

    /// <summary>Those known now.</summary>
    public NlmHost[] Snapshot()
    {
        lock (_lock)
            return [.. _hosts.Values];
    }

    /// <summary>Ends the collecting.</summary>
    public async ValueTask CloseAsync()
    {
        lock (_lock)
            _isClosed = true;
        await _collector.DisableSyncAsync().ConfigureAwait(false);
    }

    private TimeSpan CollectInterval => _options.HostIdleTime / 2;

    // nlm_gc_hosts
    private void Collect()
    {
        NlmHost[] idle;
        lock (_lock)
            idle = [.. _hosts.Values.Where(IsExpired)];
        foreach (NlmHost host in idle)
            Forget(host);
        lock (_lock)
        {
            if (_hosts.Count > 0 && !_isClosed)
                _queue.Queue(_collector, CollectInterval);
        }
    }

    private bool IsExpired(NlmHost host) =>
        host.References == 0 && _time.GetElapsedTime(host.LastUse) >= _options.HostIdleTime && host.IsIdle;

    private void Forget(NlmHost host)
    {
        // It stays in the table meanwhile: a call that comes now waits for its turn to have it monitored again.
        lock (host.Monitoring)
        {
            lock (_lock)
            {
                if (!IsExpired(host))
                    return;
            }
            if (host.IsMonitored)
                _nsm!.Unmonitor(host.Name, host.Address);
            host.IsMonitored = false;
        }
        lock (_lock)
        {
            if (!IsExpired(host))
                return;
            _hosts.Remove(new Key(host.Address, host.Name));
            if (_names[host.Address] == 1)
                _names.Remove(host.Address);
            else
                _names[host.Address]--;
            _isFull = false;
        }
    }
}
