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
    private readonly INsm? _nsm;

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
        _period = new GracePeriod(Managers, _graceQueue, logger);
        _nsm = null;
        Table = new LockTable(new LockTableOptions { LocalFiles = localFiles, System = system, Logger = logger });
        _nlm = new NlmServer(Table, files, Managers, _nsm, new NlmServerOptions { System = system, Logger = logger });
    }

    /// <summary>The locks, of NLM and of whoever else.</summary>
    public LockTable Table { get; }

    /// <summary>Who keeps the server in grace.</summary>
    public GraceManagers Managers { get; } = new();

    /// <summary>The programs to serve.</summary>
    public IEnumerable<RpcProgram> Programs => [_nlm.ToRpcProgram()];

    /// <summary>Before the programs are served: the state number is raised, and grace begins if anybody may have something to reclaim.</summary>
    public void Start()
    {
        if (_options.Grace > TimeSpan.Zero && _nsm is { HasHostsOfBefore: true })
            _period.Set(_options.Grace);
    }

    /// <summary>When the programs are served: hosts that held locks are told that we have restarted.</summary>
    public void Listening() => _ = _options;

    /// <summary>When the programs are no longer served.</summary>
    public async ValueTask DisposeAsync()
    {
        _period.Close();
        await _nlm.DisposeAsync().ConfigureAwait(false);
        await Table.DisposeAsync().ConfigureAwait(false);
        await _graceQueue.DisposeAsync().ConfigureAwait(false);
    }
}
