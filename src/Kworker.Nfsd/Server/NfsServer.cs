using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Kworker.Lockd;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Mount;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.Nfsd.Tracking;
using Kworker.Nfsd.V3;
using Kworker.Nfsd.V4;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Nfsd;

/// <summary>
/// An NFS server: NFS version 3 and MOUNT version 3 (RFC 1813), NFS version 4.0 and 4.1 (RFC 7530, RFC 8881), with locks that survive a crash (NLM, NSM), on one port, over file systems that the
/// program brings.
/// </summary>
/// <remarks>
/// <code>
/// await using var server = new NfsServer(new NfsServerOptions { Port = 20049, Exports = { NfsExport.Parse("/data:rw,insecure", fileSystem) } });
/// await server.StartAsync();
/// </code>
/// A server starts once. Thread-safe.
/// </remarks>
[DebuggerDisplay("port {Port}")]
public sealed partial class NfsServer : IAsyncDisposable
{
    private const int RecordOverhead = 4096; // The longest header with its credential, and the arguments that are no data.

    private enum State
    {
        Made,
        Started,
        Stopped,
    }

    private readonly RpcServer _rpc;
    private readonly ServedExports _exports;
    private readonly LockService? _locks; // null without NLM: then _ownTable
    private readonly LockTable? _ownTable;
    private readonly IClientTracking _tracking;
    private readonly NfsState _nfs4;
    private readonly MountTable _mounts = new();
    private readonly Workqueue _syncing;
    private readonly ILogger _logger;
    private int _state; // Of State; moves forward only.

    /// <summary>A server that does not listen yet.</summary>
    /// <exception cref="ArgumentException">Nothing is exported, or <see cref="NfsServerOptions.MaximumTransfer"/> is out of range.</exception>
    /// <exception cref="ExportsFormatException">Two exports have the same path or the same id.</exception>
    /// <exception cref="IOException">The state cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    /// <exception cref="UnauthorizedAccessException">The state may not be read or written.</exception>
    public NfsServer(NfsServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Exports.Count == 0)
            throw new ArgumentException("Nothing is exported.", nameof(options));
        if ((options.Versions & NfsVersions.All) == NfsVersions.None)
            throw new ArgumentException("No version is served.", nameof(options));
        if (options.MaximumTransfer is < 4096 or > 16 << 20 || options.MaximumTransfer % 4096 != 0)
            throw new ArgumentException($"A transfer of {options.MaximumTransfer} bytes is no multiple of 4096 up to 16 MiB.", nameof(options));

        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger("Kworker.Nfsd");
        TimeProvider clock = (options.System ?? KworkerSystem.Current).TimeProvider;
        _exports = new ServedExports([.. options.Exports], options.MakeSeal(), _logger, clock);
        _syncing = new Workqueue("nfsd-sync", new WorkqueueOptions { Unbound = true }, options.System);
        _rpc = new RpcServer(new RpcServerOptions
        {
            Name = "nfsd",
            Addresses = options.Addresses,
            Port = options.Port,
            Sockets = options.Sockets,
            MaximumRecord = Math.Max(options.MaximumTransfer + RecordOverhead, new RpcServerOptions().MaximumRecord),
            Rpcbind = options.Rpcbind,
            System = options.System,
            Logger = loggers.CreateLogger("Kworker.SunRpc"),
        });
        var verifier = new WriteVerifier();
        bool hasV3 = options.Versions.HasFlag(NfsVersions.V3);
        RpcProgram nfs = hasV3
            ? new Nfs3Program(_exports, verifier, options.MaximumTransfer, _logger).ToRpcProgram()
            : new RpcProgram(Nfs3Program.Number, "nfs");
        var files = new ServedLockFiles(_exports);
        ServedLockFiles? localFiles = options.LocalLocks ? files : null;
        ILogger lockLogger = loggers.CreateLogger("Kworker.Lockd");
        if (options.Locks && hasV3)
            _locks = new LockService(options.MakeLockOptions(lockLogger), files, localFiles);
        else
            _ownTable = new LockTable(new LockTableOptions { LocalFiles = localFiles, System = options.System, Logger = lockLogger });
        _tracking = options.MakeTracking(_logger);
        _nfs4 = new NfsState(
            options.MakeStateOptions(_logger), _locks?.Table ?? _ownTable!, file => files.KeyOf(file.FileSystem, file.Handle),
            _locks?.Managers ?? new GraceManagers(), _tracking);
        if ((options.Versions & NfsVersions.V4) != NfsVersions.None)
            new Nfs4Program(_exports, _nfs4, verifier, options.MaximumTransfer, clock, _logger) { Versions = options.Versions }.AddTo(nfs);
        _rpc.Add(nfs);
        if (hasV3)
            _rpc.Add(new Mount3Program(_exports, _mounts, _logger).ToRpcProgram());
        foreach (RpcProgram program in _locks?.Programs ?? [])
            _rpc.Add(program);
    }

    /// <summary>The one port; 0 before <see cref="StartAsync"/>.</summary>
    public int Port => _rpc.Port;

    /// <summary>Where the server listens; empty before <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _rpc.TcpEndPoints;

    /// <summary>Listens and serves.</summary>
    /// <exception cref="SocketException">An address or port cannot be had; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The server has been started before, or the rpcbind or rpc.statd that the options name cannot be had.</exception>
    /// <exception cref="IOException">The state of locks cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">The state of locks is damaged, or of a later version of this software.</exception>
    /// <exception cref="UnauthorizedAccessException">The state of locks may not be read or written.</exception>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        Interlocked.CompareExchange(ref _state, (int)State.Started, (int)State.Made);
        // Before anybody can ask for a lock; and who is to be notified of it finds us listening.
        _locks?.Start();
        await _nfs4.StartAsync();
        await _rpc.StartAsync(cancellationToken);
        _locks?.Listening();
    }

    /// <summary>
    /// Drains: no new call is taken, running ones finish and are answered, then every file system is synced
    /// (<see cref="INfsFileSystem.Sync"/>).
    /// </summary>
    /// <param name="cancellationToken">Ends patience with calls that run and clients that do not read; the sync comes all the same.</param>
    /// <exception cref="OperationCanceledException">Patience has ended before the last call; data is synced.</exception>
    public async ValueTask StopAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.CompareExchange(ref _state, (int)State.Stopped, (int)State.Started) != (int)State.Started)
            return;
        try
        {
            await _rpc.StopAsync(cancellationToken);
        }
        finally
        {
            // On a worker: a sync may take long, and the caller's thread may be one that must not block.
            var sync = new Work<NfsServer>(this, static server => server.Sync());
            _syncing.Queue(sync);
            await sync.FlushAsync();
        }
    }

    /// <summary>
    /// Exports these from now on, in place of what was exported before, while clients go on: calls under way end by the old rules, the next ones go by the new. Handles stay
    /// good of what is exported as before; of what is gone they are stale (NFS3ERR_STALE, NFS4ERR_STALE), and locks and open files there end with their client's lease or
    /// at its reboot.
    /// </summary>
    /// <param name="exports">All of them; at least one. What stays exported must keep its file system object: locks and open files belong to that.</param>
    /// <exception cref="ArgumentException">Nothing is exported.</exception>
    /// <exception cref="ExportsFormatException">Two exports have the same path or the same id. Nothing has changed.</exception>
    public void ReplaceExports(IEnumerable<NfsExport> exports)
    {
        ArgumentNullException.ThrowIfNull(exports);
        NfsExport[] all = [.. exports];
        if (all.Length == 0)
            throw new ArgumentException("Nothing is exported.", nameof(exports));
        _exports.Replace(all);
    }

    /// <summary>
    /// NFSv4: turns the record of clients on, after the program that keeps it was missing or failed and that has been mended. Who is there is recorded then.
    /// </summary>
    /// <returns>Whether clients are recorded.</returns>
    public async ValueTask<bool> ResumeClientTrackingAsync() => _tracking is UmhClientTracking tracking && await tracking.ResumeAsync();

    /// <summary>The state of NFSv4. For tests.</summary>
    internal NfsState Nfs4 => _nfs4;

    /// <summary>Drains without limit of time, if that has not been done.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _rpc.DisposeAsync();
        await _nfs4.DisposeAsync();
        await _tracking.DisposeAsync();
        if (_locks is not null)
            await _locks.DisposeAsync();
        if (_ownTable is not null)
            await _ownTable.DisposeAsync();
        await _syncing.DisposeAsync();
    }

    private void Sync()
    {
        var synced = new HashSet<INfsFileSystem>(ReferenceEqualityComparer.Instance);
        ExportSet exports = _exports.Now;
        foreach (Export export in exports.Exports)
        {
            INfsFileSystem fileSystem = exports.FileSystemOf(export);
            if (!synced.Add(fileSystem))
                continue;
            try
            {
                NfsStatus status = fileSystem.Sync();
                if (status != NfsStatus.Ok)
                    NfsLog.SyncFailed(_logger, export.Path, status.ToString());
            }
            catch (Exception exception)
            {
                // A file system that somebody plugged in: the others are synced all the same.
                NfsLog.FileSystemFailed(_logger, exception, "sync");
            }
        }
    }
}
