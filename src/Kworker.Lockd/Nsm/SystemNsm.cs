using System.Diagnostics;
using System.Net;
using System.Text;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Nsm;

/// <summary>
/// Works with the machine's status monitor (<c>rpc.statd</c>), as the kernel's lock manager does: hosts are monitored by SM_MON over
/// loopback, and it calls our lock manager's private procedure when one has rebooted (<see cref="TakeNotify"/>). Thread-safe.
/// </summary>
/// <remarks>
/// What <c>rpc.statd</c> cannot know is that this process has restarted and the machine has not: then its own <c>sm-notify</c> is run
/// (<see cref="NotifyAll"/>), which raises the machine's state number and tells every host that is monitored.
/// </remarks>
[DebuggerDisplay("{_hosts.Count} hosts, state {State}")]
internal sealed class SystemNsm : INsm, IAsyncDisposable
{
    private readonly SystemNsmOptions _options;
    private readonly ILogger _logger;
    private readonly KworkerSystem _system;
    private readonly Workqueue _queue;
    private readonly NsmCaller _caller;
    private readonly byte[] _ownName = Encoding.Latin1.GetBytes(Dns.GetHostName());
    private readonly Lock _changing = new(); // held while a host is added or removed, and rpc.statd asked; outside _lock
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Host> _hosts = []; // _lock; changed under _changing as well
    private NsmStore? _store; // _changing
    private bool _hasHostsOfBefore; // set by Start
    private int _state;

    /// <summary>Nothing is asked yet.</summary>
    public SystemNsm(SystemNsmOptions? options = null)
    {
        _options = options ?? new SystemNsmOptions();
        _logger = _options.Logger ?? NullLogger.Instance;
        _system = _options.System ?? KworkerSystem.Current;
        _queue = new Workqueue("nsm", null, _system);
        _caller = new NsmCaller(_options.RpcbindPort, _system, _logger);
    }

    /// <inheritdoc/>
    public event Action<NsmReboot>? HostRebooted;

    /// <summary>The machine's state number, as <c>rpc.statd</c> said it last.</summary>
    public int State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public bool HasHostsOfBefore => _hasHostsOfBefore;

    /// <summary>Asks <c>rpc.statd</c> whether it is there. Blocks.</summary>
    /// <exception cref="InvalidOperationException">It does not answer.</exception>
    /// <exception cref="InvalidDataException">What is kept is damaged, or of a newer version.</exception>
    /// <exception cref="IOException">It cannot be read or written, or another server uses it.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be made.</exception>
    public void Start()
    {
        lock (_changing)
        {
            if (!TryAsk(NsmProtocol.Stat, new NsmName("localhost"u8.ToArray()), out NsmStatResult result))
                throw new InvalidOperationException("The machine's rpc.statd does not answer: it must run before, or the built-in status monitor be used.");
            Volatile.Write(ref _state, result.State);
            using BlockingScope scope = Worker.Blocking();
            _store = NsmStore.Open(_options.StateDirectory);
            try
            {
                _store.Begin(result.State);
                _hasHostsOfBefore = _store.ListToNotify().Count > 0;
            }
            catch (SqliteException exception)
            {
                throw NsmStore.Explain(exception, _options.StateDirectory ?? ":memory:");
            }
        }
    }

    /// <summary>Has hosts of before told that we have restarted.</summary>
    public void NotifyAll()
    {
        if (HasHostsOfBefore)
            _queue.Queue(new Work<SystemNsm>(this, static nsm => nsm.RunNotifyCommand()));
    }

    /// <summary>Takes what <c>rpc.statd</c> says. Who calls has seen that it comes from this machine, and from a port that only root gets.</summary>
    public void TakeNotify(NlmSmNotify notify)
    {
        IPAddress address = Plain(new IPAddress(notify.Private));
        lock (_lock)
        {
            if (!_hosts.TryGetValue(address, out Host? host) || host.State == notify.State)
                return;
            host.State = notify.State;
            _queue.Queue(host.Reporting);
        }
    }

    /// <inheritdoc/>
    public bool Monitor(string name, IPAddress address, IPAddress? local = null)
    {
        address = Plain(address);
        lock (_changing)
        {
            bool isNew;
            lock (_lock)
            {
                isNew = !_hosts.TryGetValue(address, out Host? host);
                host ??= new Host(address, Report);
                if (host.Names.TryGetValue(name, out int monitors))
                {
                    host.Names[name] = monitors + 1;
                    return true;
                }
                if (isNew)
                    _hosts.Add(address, host); // before it is asked for: a notify may come before the answer
                host.Names.Add(name, 1);
            }
            if (TryStore(static (store, host) => store.AddHost(host.address, host.name, host.local), (address, name, local))
                && (!isNew || Mon(address)))
            {
                return true;
            }
            Forget(name, address);
            return false;
        }
    }

    /// <inheritdoc/>
    public void Unmonitor(string name, IPAddress address)
    {
        address = Plain(address);
        lock (_changing)
        {
            lock (_lock)
            {
                if (!_hosts.TryGetValue(address, out Host? host) || !host.Names.TryGetValue(name, out int monitors))
                    return;
                if (monitors > 1)
                {
                    host.Names[name] = monitors - 1;
                    return;
                }
            }
            if (Forget(name, address))
                TryAsk<NsmMonId, NsmState>(NsmProtocol.Unmon, MonId(address), out _);
        }
    }

    /// <inheritdoc/>
    public void GraceEnded()
    {
        lock (_changing)
        {
            TryStore(
                static (store, _) =>
                {
                    foreach ((IPAddress address, IPAddress? _) in store.ListToNotify())
                        store.RemoveToNotify(address);
                },
                0);
        }
    }

    /// <summary>Asks and tells no more. <c>rpc.statd</c> monitors on: who was monitored is to be told after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _caller.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
        lock (_changing)
        {
            _store?.Dispose();
            _store = null;
        }
    }

    // The cookie that comes back is the host's address: the same after a restart of ours, since rpc.statd keeps the first that it was given.
    private bool Mon(IPAddress address)
    {
        bool isAnswered = TryAsk(NsmProtocol.Mon, new NsmMon(MonId(address), address.MapToIPv6().GetAddressBytes()), out NsmStatResult result);
        if (isAnswered && result.Result == NsmResult.Success)
        {
            Volatile.Write(ref _state, result.State);
            return true;
        }
        NsmLog.StatdRefused(_logger, address, isAnswered ? "it refuses" : "it does not answer");
        return false;
    }

    /// <summary>_changing: true if that was the host's last name.</summary>
    private bool Forget(string name, IPAddress address)
    {
        bool isLast;
        lock (_lock)
        {
            Host host = _hosts[address];
            host.Names.Remove(name);
            isLast = host.Names.Count == 0;
            if (isLast)
                _hosts.Remove(address);
        }
        TryStore(static (store, gone) => store.RemoveHost(gone.address, gone.name), (address, name));
        return isLast;
    }

    private NsmMonId MonId(IPAddress address) => new(
        Encoding.Latin1.GetBytes(address.ToString()), new NsmMyId(_ownName, _options.Program, _options.Version, _options.Procedure));

    private void Report(Host host)
    {
        int state;
        string[] names;
        lock (_lock)
        {
            state = host.State!.Value;
            names = [.. host.Names.Keys];
        }
        foreach (string name in names)
        {
            NsmLog.Rebooted(_logger, name, host.Address, state);
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

    private void RunNotifyCommand()
    {
        HelperStatus status = UserModeHelper.Call(_options.NotifyCommand, [_options.NotifyCommand, "-f"], [], HelperWait.WaitProc);
        if (!status.IsSuccess)
            NsmLog.NotifyCommandFailed(_logger, _options.NotifyCommand, status.ToString());
    }

    private bool TryAsk<TArguments, TResult>(uint procedure, TArguments arguments, out TResult result)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        using var writer = new XdrWriter();
        arguments.Write(writer);
        var ended = new Completion();
        bool isAnswered = false;
        var call = new NsmCall
        {
            Address = IPAddress.Loopback,
            Program = NsmProtocol.Program,
            Version = NsmProtocol.Version,
            Procedure = procedure,
            Arguments = [writer.Written.ToArray()],
            GiveUpAfter = _options.Timeout,
            Ended = (_, answered) =>
            {
                isAnswered = answered;
                ended.Complete();
            },
        };
        _caller.Begin(call);
        ended.Wait();
        result = default!;
        if (!isAnswered)
            return false;
        try
        {
            var reader = new XdrReader(call.Result);
            result = TResult.Read(ref reader);
            return true;
        }
        catch (XdrException)
        {
            return false; // Something else has that port.
        }
    }

    private bool TryStore<T>(Action<NsmStore, T> change, T argument)
    {
        if (_store is null)
            return false;
        try
        {
            using BlockingScope scope = Worker.Blocking();
            change(_store, argument);
            return true;
        }
        catch (SqliteException exception)
        {
            NsmLog.StoreFailed(_logger, exception);
            return false;
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>A host that is monitored. Guarded by _lock.</summary>
    private sealed class Host
    {
        public Host(IPAddress address, Action<Host> report)
        {
            Address = address;
            Reporting = new Work<Host>(this, report);
        }

        public IPAddress Address { get; }

        /// <summary>The names that it is monitored by, each with how often.</summary>
        public Dictionary<string, int> Names { get; } = [];

        public int? State { get; set; }

        public Work<Host> Reporting { get; }
    }
}
