using System.Net;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Client;

/// <summary>
/// All that a process needs to hold locks at servers: the lock client, and the machine's status monitor if one runs, else one of its own.
/// Thread-safe.
/// </summary>
internal sealed class LockClient : IAsyncDisposable
{
    private readonly IAsyncDisposable _nsm;

    private LockClient(IAsyncDisposable nsm, NlmClient nlm)
    {
        _nsm = nsm;
        Nlm = nlm;
    }

    /// <summary>The locks.</summary>
    public NlmClient Nlm { get; }

    /// <summary>
    /// Starts both. Servers at which a process before us died with locks are told, if their names were kept by our own status monitor: so
    /// that they let go of them.
    /// </summary>
    /// <param name="options">How locks are asked for, with this status monitor; its program, if it is our own; or what takes its notices.</param>
    /// <param name="status">How our own status monitor works.</param>
    /// <param name="local">The address of this machine to use; null for any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="System.Net.Sockets.SocketException">It cannot listen.</exception>
    /// <exception cref="IOException">The state cannot be read or written, or another process uses it.</exception>
    public static async ValueTask<LockClient> StartAsync(
        Func<INsm, IReadOnlyList<RpcProgram>, Action<Nlm.NlmSmNotify>?, NlmClientOptions> options, NsmOptions status, IPAddress? local,
        CancellationToken cancellationToken = default)
    {
        IPEndPoint rpcbind = LocalProgram.Rpcbind(local, status.RpcbindPort);
        int? others = await LocalProgram.FindAsync(
            rpcbind, NsmProtocol.Program, NsmProtocol.Version, status.System ?? KworkerSystem.Current, status.Logger ?? NullLogger.Instance, cancellationToken);
        if (others is not null)
        {
            // Not NotifyAll, whatever was before: the machine has not rebooted, and others on it hold locks, too.
            var system = new SystemNsm(new SystemNsmOptions
            {
                Version = NlmCallbackProgram.NotifyVersion,
                RpcbindPort = status.RpcbindPort,
                System = status.System,
                Logger = status.Logger,
            });
            return await StartAsync(options(system, [], system.TakeNotify), system, system.Start, static () => { }, cancellationToken);
        }
        var nsm = new NsmService(status);
        return await StartAsync(options(nsm, [nsm.ToRpcProgram()], null), nsm, nsm.Start, nsm.NotifyAll, cancellationToken);
    }

    /// <summary>Stops both; servers are not told: who holds locks gives them up before.</summary>
    public async ValueTask DisposeAsync()
    {
        await Nlm.DisposeAsync();
        await _nsm.DisposeAsync();
    }

    private static async ValueTask<LockClient> StartAsync(
        NlmClientOptions options, IAsyncDisposable nsm, Action start, Action notify, CancellationToken cancellationToken)
    {
        NlmClient? nlm = null;
        try
        {
            start();
            nlm = new NlmClient(options);
            await nlm.StartAsync(cancellationToken);
            notify();
            return new LockClient(nsm, nlm);
        }
        catch
        {
            if (nlm is not null)
                await nlm.DisposeAsync();
            await nsm.DisposeAsync();
            throw;
        }
    }
}
