using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Nfsd.Tracking;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Nfsd.State;

/// <summary>
/// The state of NFSv4 (RFC 7530 sections 9 and 16, RFC 8881 sections 2.10, 8, 9 and 18): clients and their leases, sessions, opens and share reservations, locks;
/// one copy for 4.0 and 4.1. Speaks no XDR. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Locks, outermost first: <see cref="_clients"/> (who is known), a client's <see cref="NfsClient.Sync"/> (its owners and states), a file's
/// (<see cref="FileState"/>, its shares). Of each kind one at a time; the lock table, whose locks are inside all of these, is mostly called with a client's
/// held. Nothing that waits for a disk or another program is called under any of them but by the lock table for a local file.</para>
/// <para>SEQUENCE and the check of a stateid for READ or WRITE take none of them: they look into concurrent tables, and at fields that say so.</para>
/// <para>4.0's owners have <see cref="OwnerSequence"/>, which is entered first of all, for the whole of a request.</para>
/// </remarks>
[DebuggerDisplay("{ClientCount} clients, {_states.Count} states, {_files.Count} files")]
internal sealed partial class NfsState : IAsyncDisposable
{
    private readonly NfsStateOptions _options;
    private readonly LockTable _locks;
    private readonly Func<FileKey, LockFileKey> _lockKeys;
    private readonly IClientTracking _tracking;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Workqueue _queue;
    private readonly long _lease; // in timestamps
    private readonly long _courtesy;
    private readonly uint _boot; // of this start: the upper half of all client ids

    // Read without lock. Written under the client's lock.
    private readonly ConcurrentDictionary<(ulong Client, uint Number), StateObject> _states = new();

    private readonly ConcurrentDictionary<FileKey, FileState> _files = new(); // written under the file's lock
    private uint _lastState; // interlocked

    /// <summary>No clients, and no grace.</summary>
    /// <param name="options">How long, how much.</param>
    /// <param name="locks">The lock table, shared with NLM.</param>
    /// <param name="lockKeys">How that table calls a file.</param>
    /// <param name="grace">Who keeps the server in grace: shared with NLM.</param>
    /// <param name="tracking">The record of clients; not disposed here.</param>
    public NfsState(NfsStateOptions options, LockTable locks, Func<FileKey, LockFileKey> lockKeys, GraceManagers grace, IClientTracking tracking)
    {
        KworkerSystem system = options.System ?? KworkerSystem.Current;
        _options = options;
        _locks = locks;
        _lockKeys = lockKeys;
        _graceManagers = grace;
        _tracking = tracking;
        _logger = options.Logger ?? NullLogger.Instance;
        _time = system.TimeProvider;
        _lease = ToTimestamp(options.Lease);
        _courtesy = ToTimestamp(options.Courtesy);
        // Not the time alone: two starts within a second must not take each other's stateids for their own.
        _boot = (uint)_time.GetUtcNow().ToUnixTimeSeconds() ^ (uint)RandomNumberGenerator.GetInt32(1 << 10) << 22;
        _queue = new Workqueue("nfsd4", null, system);
        // Who does not answer holds a place for as long as the call takes: there must be enough for those that do.
        _callbackQueue = new Workqueue("nfsd4_callbacks", new WorkqueueOptions { Unbound = true, MaxActive = options.MaximumCallbacks }, system);
        _laundromat = new DelayedWork<NfsState>(this, static state => state.Launder());
        _graceEnder = new DelayedWork<NfsState>(this, static state => state.EndGrace());
        _graceEndNow = new Work<NfsState>(this, static state => state.EndGrace());
    }

    /// <summary>How long a lease is, in seconds: the attribute.</summary>
    public uint LeaseSeconds => (uint)Math.Max(1, _options.Lease.TotalSeconds);

    /// <summary>The clock of leases.</summary>
    public long Now => _time.GetTimestamp();

    /// <summary>Where leases and grace end.</summary>
    public Workqueue Queue => _queue;

    /// <summary>States that there are.</summary>
    public int StateCount => _states.Count;

    /// <summary>Files that somebody has open.</summary>
    public int FileCount => _files.Count;

    /// <summary>Before anybody is served: who may reclaim, and for how long.</summary>
    public async ValueTask StartAsync()
    {
        _tracking.AllReclaimed = EndGraceSoon;
        _tracking.ActiveClients = ActiveClients;
        TrackingStart found = await _tracking.InitAsync();
        if (found == TrackingStart.Somebody && _options.Grace > TimeSpan.Zero)
            BeginGrace();
        else if (found != TrackingStart.Off)
            await _tracking.GraceDoneAsync();
        _queue.Queue(_laundromat, LaundryInterval);
    }

    /// <summary>When nobody is served any more. The record stays as it is: all may be wanted again after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _laundromat.CancelSyncAsync();
        await _graceEnder.CancelSyncAsync();
        await _graceEndNow.CancelSyncAsync();
        _graceManagers.End(this);
        await _queue.DisposeAsync();
        foreach (Session session in _sessions.Values)
            await session.Callbacks.StopAsync();
        await _callbackQueue.DisposeAsync();
    }

    private long ToTimestamp(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private uint NextNumber() => Interlocked.Increment(ref _lastState);

    /// <summary>Client's lock: a state is found by its stateid from now on.</summary>
    private void Add(StateObject state)
    {
        _states[(state.Client.Id, state.Number)] = state;
        state.Client.StateCount++;
    }

    /// <summary>Client's lock: it is not found any more.</summary>
    private void Forget(StateObject state)
    {
        if (_states.TryRemove((state.Client.Id, state.Number), out _))
            state.Client.StateCount--;
    }

    /// <summary>The file, locked; to be unlocked by <see cref="Monitor.Exit(object)"/>.</summary>
    private FileState LockFile(in FileKey key)
    {
        while (true)
        {
            FileState file = _files.TryGetValue(key, out FileState? known)
                ? known
                : _files.GetOrAdd(key, static (key, lockKeys) => new FileState(key, lockKeys(key)), _lockKeys);
            Monitor.Enter(file);
            if (!file.IsGone)
                return file;
            Monitor.Exit(file); // its last open has just gone
        }
    }

    /// <summary>File's lock: the file is forgotten if nobody has it open.</summary>
    private void ForgetIfIdle(FileState file)
    {
        if (file.IsGone || !file.IsIdle)
            return;
        file.IsGone = true;
        _files.TryRemove(file.Key, out _);
    }

    /// <summary>Waits for what the record says. The worker that waits is announced, so that other clients' calls go on.</summary>
    private static TrackingResult Wait(ValueTask<TrackingResult> asked)
    {
        if (asked.IsCompleted)
            return asked.GetAwaiter().GetResult();
        using var blocking = Worker.Blocking();
        return asked.AsTask().GetAwaiter().GetResult();
    }
}
