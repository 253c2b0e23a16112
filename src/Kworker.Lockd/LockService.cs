using System.Diagnostics;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd;

/// <summary>All that serves locks in one server: the table, the lock manager, the status monitor, the grace period. Thread-safe.</summary>
/// <remarks>
/// What keeps a lock over a restart is the order. Stopping or dying needs none: everything is on disk before it is promised. Starting:
/// <list type="number">
/// <item><see cref="Start"/>: the new state number and the hosts of before are on disk, and grace has begun;</item>
/// <item>the programs are served: from the first call on, nobody can take what somebody else may reclaim;</item>
/// <item><see cref="Listening"/>: the hosts of before are notified, and find somebody to reclaim from.</item>
/// </list>
/// </remarks>
[DebuggerDisplay("{Table}")]
internal sealed class LockService : IAsyncDisposable
{
    private readonly LockServiceOptions _options;
    private readonly Workqueue _graceQueue;
    private readonly GracePeriod _period;
    private readonly NlmServer _nlm;
    private readonly NsmService? _ownNsm; // one of the two, or neither
    private readonly SystemNsm? _systemNsm;
    private readonly INsm? _nsm; // the same

    /// <summary>A service that does nothing yet.</summary>
    /// <param name="options">How.</param>
    /// <param name="files">What files there are.</param>
    /// <param name="localFiles">Opens local files, so that this machine's programs see the locks; null: they do not.</param>
    public LockService(LockServiceOptions options, INlmFiles files, ILocalLockFiles? localFiles)
    {
        _options = options;
        KworkerSystem system = options.System ?? KworkerSystem.Current;
        ILogger logger = options.Logger ?? NullLogger.Instance;
        _graceQueue = new Workqueue("lockd-grace", null, system);
        if (options.Nsm == NsmMode.BuiltIn)
            _nsm = _ownNsm = new NsmService(new NsmOptions { StateDirectory = options.StateDirectory, System = system, Logger = logger });
        else if (options.Nsm == NsmMode.System)
            _nsm = _systemNsm = new SystemNsm(new SystemNsmOptions { StateDirectory = options.StateDirectory, System = system, Logger = logger });
        _period = new GracePeriod(Managers, _graceQueue, logger, _nsm is null ? null : _nsm.GraceEnded, system.TimeProvider);
        Table = new LockTable(new LockTableOptions { LocalFiles = localFiles, System = system, Logger = logger });
        _nlm = new NlmServer(Table, files, Managers, _nsm, new NlmServerOptions { System = system, Logger = logger });
    }

    /// <summary>The locks, of NLM and of whoever else.</summary>
    public LockTable Table { get; }

    /// <summary>Who keeps the server in grace.</summary>
    public GraceManagers Managers { get; } = new();

    /// <summary>The clients known.</summary>
    public IReadOnlyList<NlmHost> Hosts => _nlm.Hosts;

    /// <summary>How long NLM's grace goes on; null when there is none.</summary>
    public TimeSpan? GraceLeft => _period.Left;

    /// <summary>The programs to serve.</summary>
    public IEnumerable<RpcProgram> Programs
    {
        get
        {
            yield return _nlm.ToRpcProgram(_systemNsm is null ? null : _systemNsm.TakeNotify);
            if (_ownNsm is not null)
                yield return _ownNsm.ToRpcProgram();
        }
    }

    /// <summary>Before the programs are served: the state number is raised, and grace begins if anybody may have something to reclaim.</summary>
    /// <exception cref="IOException">The state cannot be read or written, or another server uses it.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, or of a newer version.</exception>
    /// <exception cref="UnauthorizedAccessException">The state may not be read or written.</exception>
    /// <exception cref="InvalidOperationException">The machine's <c>rpc.statd</c> does not answer, and is to be worked with.</exception>
    public void Start()
    {
        _ownNsm?.Start();
        _systemNsm?.Start();
        if (_options.Grace > TimeSpan.Zero && _nsm is { HasHostsOfBefore: true })
            _period.Set(_options.Grace);
    }

    /// <summary>When the programs are served: hosts that held locks are told that we have restarted.</summary>
    public void Listening()
    {
        _ownNsm?.NotifyAll();
        _systemNsm?.NotifyAll();
        if (!Managers.IsInGrace)
            _nsm?.GraceEnded();
    }

    /// <summary>When the programs are no longer served. Who holds locks is remembered: they may be wanted again after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _period.Close();
        await _nlm.DisposeAsync().ConfigureAwait(false);
        if (_ownNsm is not null)
            await _ownNsm.DisposeAsync().ConfigureAwait(false);
        if (_systemNsm is not null)
            await _systemNsm.DisposeAsync().ConfigureAwait(false);
        await Table.DisposeAsync().ConfigureAwait(false);
        await _graceQueue.DisposeAsync().ConfigureAwait(false);
    }
}
