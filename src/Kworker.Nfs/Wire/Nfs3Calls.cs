using Kworker.SunRpc;

namespace Kworker.Nfs;

/// <summary>Calls procedures of NFS version 3 and makes their failures into exceptions that say what was tried on what. Thread-safe.</summary>
internal sealed class Nfs3Calls(RpcClient rpc)
{
    public const uint Program = 100003;
    public const uint Version = 3;

    /// <summary><c>NFS_JUKEBOX_RETRY_TIME</c>.</summary>
    private static readonly TimeSpan s_jukeboxDelay = TimeSpan.FromSeconds(5);

    /// <summary>The transport.</summary>
    public RpcClient Rpc => rpc;

    /// <summary>Calls a procedure; a server that is slow (JUKEBOX) is asked again for as long as it takes.</summary>
    /// <returns>The result, whatever its status.</returns>
    /// <exception cref="NfsException">There is no result.</exception>
    public async ValueTask<TResult> TryAsync<TArguments, TResult>(
        Nfs3Procedure procedure, TArguments arguments, string path, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : INfs3Result<TResult>
    {
        while (true)
        {
            TResult result;
            try
            {
                result = await rpc.CallAsync<TArguments, TResult>(Program, Version, (uint)procedure, arguments, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsTransports(exception))
            {
                throw Failure(Name(procedure), path, exception);
            }
            if (result.Status != Nfsstat3.Jukebox)
                return result;
            await new Completion().WaitAsync(s_jukeboxDelay, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="TryAsync"/>; a status that is not OK throws.</summary>
    /// <exception cref="NfsException">The server answered with an error, or there is no result.</exception>
    public async ValueTask<TResult> CallAsync<TArguments, TResult>(
        Nfs3Procedure procedure, TArguments arguments, string path, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : INfs3Result<TResult>
    {
        TResult result = await TryAsync<TArguments, TResult>(procedure, arguments, path, cancellationToken).ConfigureAwait(false);
        Check(procedure, path, result.Status);
        return result;
    }

    /// <summary>Throws for a status that is not OK.</summary>
    public static void Check(Nfs3Procedure procedure, string path, Nfsstat3 status)
    {
        if (status != Nfsstat3.Ok)
            throw new NfsException(Name(procedure), path, (NfsStatus)status);
    }

    /// <summary>What a failure of the transport is to the caller.</summary>
    public static NfsException Failure(string operation, string path, Exception exception) => new(
        operation,
        path,
        exception switch
        {
            XdrException => $"the server's reply is garbled: {exception.Message}",
            RpcClientException { InnerException: { } inner } => inner.Message, // the operation is named already
            _ => exception.Message,
        },
        exception);

    /// <summary>Whether it is a failure of the RPC layer, rather than a cancellation or a fault of ours.</summary>
    public static bool IsTransports(Exception exception) => exception is RpcClientException or RpcTimeoutException or XdrException;

    /// <summary>The protocol's name.</summary>
    public static string Name(Nfs3Procedure procedure) => procedure.ToString().ToUpperInvariant();
}
