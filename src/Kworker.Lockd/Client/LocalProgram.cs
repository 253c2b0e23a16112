using System.Net;
using System.Net.Sockets;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Client;

/// <summary>Programs of other processes on this machine.</summary>
internal static class LocalProgram
{
    /// <summary>Where this machine's rpcbind is asked: it takes changes by loopback alone. A client at another address of the loopback has its own.</summary>
    public static IPEndPoint Rpcbind(IPAddress? local, int port) => new(local is not null && IPAddress.IsLoopback(local) ? local : IPAddress.Loopback, port);

    /// <summary>The port of a program that rpcbind names and that answers; null if there is none.</summary>
    public static async ValueTask<int?> FindAsync(
        IPEndPoint rpcbind, uint program, uint version, KworkerSystem system, ILogger logger, CancellationToken cancellationToken)
    {
        var timeouts = RpcTimeouts.Linear(TimeSpan.FromSeconds(5), 0);
        try
        {
            int port = await RpcbindClient.GetPortAsync(rpcbind, program, version, RpcTransport.Tcp, timeouts, cancellationToken);
            if (port == 0)
                return null;
            await using var client = new RpcClient(
                new IPEndPoint(rpcbind.Address, port), RpcTransport.Tcp, new RpcClientOptions { Timeouts = timeouts, IsSoft = true, IsSoftConnect = true, System = system });
            await client.CallAsync<XdrVoid, XdrVoid>(program, version, 0, default, cancellationToken);
            return port;
        }
        catch (Exception exception) when (exception is SocketException or RpcClientException or TimeoutException or XdrException)
        {
            // No rpcbind; or one that remembers a process which is gone: its place is free.
            NlmClientLog.NoOther(logger, program, exception.Message);
            return null;
        }
    }
}
