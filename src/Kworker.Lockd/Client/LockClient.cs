using Kworker.Lockd.Nsm;

namespace Kworker.Lockd.Client;

/// <summary>All that a process needs to hold locks at servers: the lock client and a status monitor of its own. Thread-safe.</summary>
internal sealed class LockClient : IAsyncDisposable
{
    private readonly NsmService _nsm;

    private LockClient(NsmService nsm, NlmClient nlm)
    {
        _nsm = nsm;
        Nlm = nlm;
    }

    /// <summary>The locks.</summary>
    public NlmClient Nlm { get; }

    /// <summary>
    /// Starts both. Servers at which a process before us died with locks are told, if their names were kept: so that they let go of them.
    /// </summary>
    /// <param name="options">How locks are asked for, with this status monitor and its program.</param>
    /// <param name="status">How the status monitor works.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="System.Net.Sockets.SocketException">It cannot listen.</exception>
    /// <exception cref="IOException">The state cannot be read or written, or another process uses it.</exception>
    public static async ValueTask<LockClient> StartAsync(
        Func<INsm, IReadOnlyList<SunRpc.RpcProgram>, NlmClientOptions> options, NsmOptions status, CancellationToken cancellationToken = default)
    {
        var nsm = new NsmService(status);
        NlmClient? nlm = null;
        try
        {
            nsm.Start();
            nlm = new NlmClient(options(nsm, [nsm.ToRpcProgram()]));
            await nlm.StartAsync(cancellationToken);
            nsm.NotifyAll();
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

    /// <summary>Stops both; servers are not told: who holds locks gives them up before.</summary>
    public async ValueTask DisposeAsync()
    {
        await Nlm.DisposeAsync();
        await _nsm.DisposeAsync();
    }
}
