using System.Diagnostics;
using System.Net;
using System.Text;
using Kworker.SunRpc;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Nsm;

/// <summary>
/// The built-in network status monitor: remembers over crashes which hosts have to do with our locks, tells them when we have restarted, and
/// tells us when they have. Thread-safe.
/// </summary>
/// <remarks>
/// <para>In this order: <see cref="Start"/> (the state number is raised, on disk), the program of <see cref="ToRpcProgram"/> served,
/// <see cref="NotifyAll"/>, <see cref="DisposeAsync"/> (the state number becomes even).</para>
/// <para>A start of ours counts as one of the machine: locks of ours have gone with the process. So programs of this machine that had hosts
/// monitored over the wire must do so again. Of those hosts they alone had monitored none is told of a restart, if we ended in order.</para>
/// </remarks>
[DebuggerDisplay("state {State}")]
internal sealed partial class NsmService : INsm, IAsyncDisposable
{
    private const int RememberedStates = 1024;

    private readonly NsmOptions _options;
    private readonly ILogger _logger;
    private readonly KworkerSystem _system;
    private readonly Workqueue _reporting;
    private readonly NsmCaller _caller;
    private readonly string _name;
    private readonly Lock _storing = new(); // held while writing to disk; outside _lock
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, NsmHost> _hosts = []; // _lock
    private readonly Queue<(IPAddress Address, int State)> _forgotten = []; // _lock; last states of hosts monitored no more
    private NsmStore? _store; // _storing; set by Start, null again when disposed
    private List<(IPAddress Address, IPAddress? Local)> _before = []; // set by Start
    private bool _isGraceOver; // _storing
    private int _count; // _lock; names, of all hosts
    private int _state;

    /// <summary>A status monitor that has not begun.</summary>
    public NsmService(NsmOptions? options = null)
    {
        _options = options ?? new NsmOptions();
        _logger = _options.Logger ?? NullLogger.Instance;
        _system = _options.System ?? KworkerSystem.Current;
        _name = _options.Name ?? Dns.GetHostName();
        _reporting = new Workqueue("nsm", null, _system);
        _caller = new NsmCaller(_options.RpcbindPort, _system, _logger);
    }

    /// <inheritdoc/>
    public event Action<NsmReboot>? HostRebooted;

    /// <inheritdoc/>
    public int State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public bool HasHostsOfBefore => _before.Count > 0;

    /// <summary>Hosts that have not been told of our restart yet.</summary>
    public int NotifyingCount => _caller.Count;

    /// <summary>Waits until everybody has been told, or given up; for tests.</summary>
    internal ValueTask NotifiedAsync() => _caller.WhenIdleAsync();

    /// <summary>The queue that notifies; for tests.</summary>
    internal Workqueue Notifying => _caller.Queue;

    /// <summary>Names monitored, of all hosts.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>Reads what the process before left, and raises the state number: on disk when this returns. Blocks.</summary>
    /// <exception cref="InvalidDataException">What is there is damaged, or of a newer version.</exception>
    /// <exception cref="IOException">It cannot be read or written, or another server uses it.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be made.</exception>
    /// <exception cref="InvalidOperationException">It has been started before.</exception>
    public void Start()
    {
        lock (_storing)
        {
            if (_store is not null || State != 0)
                throw new InvalidOperationException("The status monitor has been started before.");
            using BlockingScope scope = Worker.Blocking();
            NsmStore store = NsmStore.Open(_options.StateDirectory);
            try
            {
                // Without a number of before: one that those who knew us then have hardly seen.
                Volatile.Write(ref _state, store.Begin((int)(_system.TimeProvider.GetUtcNow().ToUnixTimeSeconds() & 0x3fff_ffff)));
                _before = store.ListToNotify();
            }
            catch (SqliteException exception)
            {
                store.Dispose();
                throw NsmStore.Explain(exception, _options.StateDirectory ?? ":memory:");
            }
            _store = store;
        }
        NsmLog.Started(_logger, State, _before.Count);
    }

    /// <summary>Tells every host that was monitored before that we have restarted; goes on until it answers or is given up.</summary>
    public void NotifyAll()
    {
        foreach ((IPAddress address, IPAddress? local) in _before)
            NotifyHost(address, local);
    }

    /// <inheritdoc/>
    public bool Monitor(string name, IPAddress address, IPAddress? local = null)
    {
        address = Plain(address);
        return Monitor(name, address, local is null ? null : Plain(local), static monitors => monitors.Own++);
    }

    /// <inheritdoc/>
    public void Unmonitor(string name, IPAddress address) => Unmonitor(name, Plain(address), static monitors => monitors.Own = Math.Max(0, monitors.Own - 1));

    /// <inheritdoc/>
    public void GraceEnded()
    {
        lock (_storing)
        {
            _isGraceOver = true;
            using BlockingScope scope = Worker.Blocking();
            TryStore(static (store, _) => store.RemoveTold(), 0);
        }
    }

    /// <summary>Tells nobody any more, and makes the state number even: we go down in order.</summary>
    public async ValueTask DisposeAsync()
    {
        await _caller.DisposeAsync().ConfigureAwait(false);
        await _reporting.DisposeAsync().ConfigureAwait(false);
        lock (_storing)
        {
            if (_store is null)
                return;
            using BlockingScope scope = Worker.Blocking();
            // Other programs go on when we end in order: their hosts, told of a restart, would take their locks from them.
            foreach ((IPAddress Address, string Name) host in MonitoredByOthers(alone: true))
                TryStore(static (store, host) => store.RemoveHost(host.Address, host.Name), host);
            TryStore(static (store, state) => store.WriteState(state), State + 1);
            _store.Dispose();
            _store = null;
        }
    }

    /// <summary>A host says that it is in a state. Counts only if it is monitored and the state is a new one.</summary>
    internal void HostChanged(IPAddress address, int state)
    {
        address = Plain(address);
        lock (_lock)
        {
            if (!_hosts.TryGetValue(address, out NsmHost? host))
            {
                NsmLog.NotMonitored(_logger, address);
                return;
            }
            if (host.State == state)
                return;
            host.State = state;
            _reporting.Queue(host.Reporting);
        }
    }

    private bool Monitor(string name, IPAddress address, IPAddress? local, Action<NsmMonitors> add)
    {
        if (name.Length > NsmProtocol.MaximumName)
            return false;
        lock (_storing)
        {
            bool isNew;
            lock (_lock)
            {
                isNew = !_hosts.TryGetValue(address, out NsmHost? host) || !host.Names.ContainsKey(name);
                // A host calls itself what it likes: it shall not take the others' places with that.
                if (isNew && (_count >= _options.MaximumHosts || host?.Names.Count >= _options.MaximumNames))
                {
                    NsmLog.TooMany(_logger, name, address, _count);
                    return false;
                }
            }
            if (isNew)
            {
                using BlockingScope scope = Worker.Blocking();
                if (!TryStore(static (store, host) => store.AddHost(host.address, host.name, host.local), (address, name, local)))
                    return false;
            }
            lock (_lock)
            {
                if (!_hosts.TryGetValue(address, out NsmHost? host))
                {
                    host = new NsmHost(address, Report) { State = Remembered(address) };
                    _hosts.Add(address, host);
                }
                if (!host.Names.TryGetValue(name, out NsmMonitors? monitors))
                {
                    monitors = new NsmMonitors();
                    host.Names.Add(name, monitors);
                    _count++;
                }
                add(monitors);
            }
            return true;
        }
    }

    private void Unmonitor(string name, IPAddress address, Action<NsmMonitors> remove)
    {
        lock (_storing)
        {
            lock (_lock)
            {
                if (!_hosts.TryGetValue(address, out NsmHost? host) || !host.Names.TryGetValue(name, out NsmMonitors? monitors))
                    return;
                remove(monitors);
                if (!monitors.IsEmpty)
                    return;
                host.Names.Remove(name);
                _count--;
                if (host.Names.Count == 0)
                {
                    _hosts.Remove(address);
                    Remember(host);
                }
            }
            using BlockingScope scope = Worker.Blocking();
            TryStore(static (store, host) => store.RemoveHost(host.address, host.name), (address, name));
        }
    }

    // A host's notify may come twice (our answer was lost), and the second time it may have locks again.
    private void Remember(NsmHost host)
    {
        if (host.State is not { } state)
            return;
        _forgotten.Enqueue((host.Address, state));
        if (_forgotten.Count > RememberedStates)
            _forgotten.Dequeue();
    }

    private int? Remembered(IPAddress address)
    {
        int? state = null;
        foreach ((IPAddress one, int was) in _forgotten)
        {
            if (one.Equals(address))
                state = was;
        }
        return state;
    }

    /// <summary>Tells who has a host monitored that it has rebooted.</summary>
    private void Report(NsmHost host)
    {
        int state;
        (string Name, bool IsOwn, NsmMon[] Others)[] names;
        lock (_lock)
        {
            state = host.State!.Value;
            names = [.. host.Names.Select(name => (name.Key, name.Value.Own > 0, name.Value.Others.ToArray()))];
        }
        foreach ((string name, bool isOwn, NsmMon[] others) in names)
        {
            NsmLog.Rebooted(_logger, name, host.Address, state);
            foreach (NsmMon other in others)
                CallBack(name, state, other);
            if (!isOwn)
                continue;
            try
            {
                HostRebooted?.Invoke(new NsmReboot(name, host.Address, state));
            }
            catch (Exception exception)
            {
                // One handler's fault is not the next host's.
                NsmLog.HandlerFailed(_logger, exception, name);
            }
        }
    }

    private void NotifyHost(IPAddress address, IPAddress? local) => _caller.Begin(new NsmCall
    {
        Address = address,
        Local = local,
        Program = NsmProtocol.Program,
        Version = NsmProtocol.Version,
        Procedure = NsmProtocol.Notify,
        Arguments = [.. Names(local).Select(name => Encode(new NsmStateChange(Encoding.Latin1.GetBytes(name), State)))],
        GiveUpAfter = _options.GiveUpAfter,
        Ended = Notified,
    });

    // The name alone, if the host knows that; and the address that it knows us by, which it can always tell. It takes the first that it
    // believes: the second has no new state then.
    private IEnumerable<string> Names(IPAddress? local)
    {
        yield return _name;
        if (local is not null)
            yield return local.ToString();
    }

    private void Notified(NsmCall call, bool isAnswered)
    {
        if (isAnswered)
            NsmLog.Notified(_logger, call.Address);
        else
            NsmLog.GivenUp(_logger, call.Address, _options.GiveUpAfter.TotalMinutes);
        lock (_storing)
        {
            using BlockingScope scope = Worker.Blocking();
            if (isAnswered && !_isGraceOver)
                TryStore(static (store, address) => store.SetTold(address), call.Address);
            else
                TryStore(static (store, address) => store.RemoveToNotify(address), call.Address);
        }
    }

    /// <summary>_storing: does something with the store; false if that fails, or it is closed.</summary>
    private bool TryStore<T>(Action<NsmStore, T> change, T argument)
    {
        if (_store is null)
            return false;
        try
        {
            change(_store, argument);
            return true;
        }
        catch (SqliteException exception)
        {
            NsmLog.StoreFailed(_logger, exception);
            return false;
        }
    }

    private static byte[] Encode<T>(T value)
        where T : IXdr<T>
    {
        using var writer = new XdrWriter();
        value.Write(writer);
        return writer.Written.ToArray();
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
