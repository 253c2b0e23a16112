using System.Diagnostics;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Nlm;

/// <summary>
/// The lock manager's server side (<c>fs/lockd/svc*.c</c>): what the procedures of every version come to, in terms of version 4. Answers as Linux does.
/// Thread-safe.
/// </summary>
/// <remarks>
/// A file for each concern: locks (Locking), telling clients that wait (Granting), shares (Sharing), clients that reboot (Rebooting). A call holds its host
/// and its owner while it runs. Locks are taken in the order: hosts, host, shares, table; no lock is held while the table tells of a request that has ended.
/// </remarks>
[DebuggerDisplay("{_hosts.Count} hosts")]
internal sealed partial class NlmServer : IAsyncDisposable
{
    private const int MaximumCallbacks = 8192;

    private readonly NlmServerOptions _options;
    private readonly LockTable _table;
    private readonly INlmFiles _files;
    private readonly GraceManagers _grace;
    private readonly TimeProvider _time;
    private readonly Workqueue _queue;
    private readonly ILogger _logger;
    private readonly NlmHosts _hosts;
    private readonly NlmShares _shares;
    private readonly NlmCallbacks _callbacks;
    private readonly INsm? _nsm;

    /// <summary>A lock manager that answers when its program is served.</summary>
    /// <param name="table">The locks of all protocols.</param>
    /// <param name="files">What files there are.</param>
    /// <param name="grace">Whether locks may only be reclaimed.</param>
    /// <param name="nsm">Who monitors clients; null: nobody.</param>
    /// <param name="options">Bounds and times.</param>
    public NlmServer(LockTable table, INlmFiles files, GraceManagers grace, INsm? nsm, NlmServerOptions? options = null)
    {
        _options = options ?? new NlmServerOptions();
        KworkerSystem system = _options.System ?? KworkerSystem.Current;
        _table = table;
        _files = files;
        _grace = grace;
        _time = system.TimeProvider;
        _logger = _options.Logger ?? NullLogger.Instance;
        // A client that does not answer holds a place for as long as its call takes: there must be enough for those that do.
        _queue = new Workqueue("lockd", new WorkqueueOptions { Unbound = true, MaxActive = MaximumCallbacks }, system);
        _hosts = new NlmHosts(_options, nsm, _time, _queue, _logger);
        _shares = new NlmShares(_options.MaximumSharesPerHost);
        _callbacks = new NlmCallbacks(_options, system, _queue, _logger);
        _nsm = nsm;
        if (nsm is not null)
            nsm.HostRebooted += HostRebooted;
    }

    /// <summary>The clients known.</summary>
    internal int HostCount => _hosts.Count;

    /// <summary>The same, one by one.</summary>
    internal NlmHost[] Hosts => _hosts.Snapshot();

    /// <summary>The program for an RPC server.</summary>
    /// <param name="smNotify">Takes what the machine's own NSM says of a reboot, if it is not ours; null: it is not listened to.</param>
    public RpcProgram ToRpcProgram(Action<NlmSmNotify>? smNotify = null) => new NlmProgram(this, _callbacks, smNotify, _logger).ToRpcProgram();

    /// <summary>Waits for what is being done in the background at this moment. For tests.</summary>
    internal ValueTask FlushAsync() => _queue.FlushAsync();

    /// <summary>Tells nobody anything any more. After the program is no longer served.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_nsm is not null)
            _nsm.HostRebooted -= HostRebooted;
        await _hosts.CloseAsync().ConfigureAwait(false);
        foreach (NlmBlock block in _hosts.Snapshot().SelectMany(BlocksOf).ToArray())
        {
            _table.Cancel(block);
            Finish(block);
            await block.Granting.DisableSyncAsync().ConfigureAwait(false);
        }
        await _callbacks.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
    }

    private static NlmBlock[] BlocksOf(NlmHost host)
    {
        lock (host.Lock)
            return [.. host.Blocks.Values];
    }

    // Linux's offsets have a sign: what reaches beyond is FBIG, and a lock to the last of them is one to the end of the file.
    private static bool TryGetRange(in Nlm4Lock asked, out LockRange range)
    {
        const ulong max = long.MaxValue;
        range = new LockRange(asked.Offset, ulong.MaxValue);
        if (asked.Offset > max || (asked.Length > 0 && asked.Length - 1 > max - asked.Offset))
            return false;
        ulong last = asked.Offset + asked.Length - 1;
        if (asked.Length > 0 && last < max)
            range = range with { End = last };
        return true;
    }

    private static LockKind KindOf(bool exclusive) => exclusive ? LockKind.Write : LockKind.Read;

    private NlmHost? FindHost(RpcCall call, ReadOnlyMemory<byte> name) => _hosts.Find(call.RemoteEndPoint.Address, name.Span);

    private NlmHost? AcquireHost(RpcCall call, ReadOnlyMemory<byte> name) => _hosts.Acquire(call.RemoteEndPoint.Address, name.Span);

    /// <summary>A process of the host; made if need be and <paramref name="create"/>. To be given back by <see cref="ReleaseOwner"/>.</summary>
    private NlmOwner? AcquireOwner(NlmHost host, int svid, bool create)
    {
        lock (host.Lock)
        {
            if (!host.Owners.TryGetValue(svid, out NlmOwner? owner))
            {
                if (!create || host.Owners.Count >= _options.MaximumOwnersPerHost)
                    return null;
                owner = new NlmOwner(host, svid);
                host.Owners.Add(svid, owner);
            }
            owner.References++;
            return owner;
        }
    }

    private static void ReleaseOwner(NlmOwner owner)
    {
        lock (owner.Host.Lock)
            DropReference(owner);
    }

    // Under the host's lock. Who would give it a lock holds a reference: an idle one without references stays idle.
    private static void DropReference(NlmOwner owner)
    {
        if (--owner.References == 0 && owner.IsIdle && owner.Host.Owners.GetValueOrDefault(owner.Svid) == owner)
            owner.Host.Owners.Remove(owner.Svid);
    }
}
