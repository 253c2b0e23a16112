using System.Net;
using System.Text;

namespace Kworker.SunRpc;

/// <summary>Talks to a rpcbind: to that of this machine, to register, or to another's, to ask for a port.</summary>
internal sealed class RpcbindClient : IAsyncDisposable
{
    private static readonly RpcTimeouts s_timeouts = RpcTimeouts.Linear(TimeSpan.FromSeconds(10), 0);

    private readonly RpcClient _client;
    private readonly uint _version;

    private RpcbindClient(RpcClient client, uint version)
    {
        _client = client;
        _version = version;
    }

    /// <summary>The version spoken: 4, 3 or 2.</summary>
    public uint Version => _version;

    /// <summary>Connects to a rpcbind, in the highest version that it speaks, from a reserved port if we may.</summary>
    /// <param name="server">Where it listens.</param>
    /// <param name="highest">The highest version to try.</param>
    /// <param name="timeouts">How long an answer may take; null for 10 seconds.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="RpcClientException">None runs there, or what runs there is no rpcbind.</exception>
    /// <exception cref="RpcTimeoutException">It does not answer.</exception>
    public static async ValueTask<RpcbindClient> ConnectAsync(
        IPEndPoint server, uint highest = RpcbindProtocol.Version4, RpcTimeouts? timeouts = null, CancellationToken cancellationToken = default)
    {
        var client = new RpcClient(server, RpcTransport.Tcp, new RpcClientOptions
        {
            ServerName = $"rpcbind at {server}",
            Timeouts = timeouts ?? s_timeouts,
            IsSoft = true,
            IsSoftConnect = true,
            FromReservedPort = true, // it takes it as a sign of the superuser
        });
        try
        {
            for (uint version = highest; ; version--)
            {
                try
                {
                    await client.CallAsync<XdrVoid, XdrVoid>(
                        RpcbindProtocol.Program, version, RpcbindProtocol.Null, default, cancellationToken).ConfigureAwait(false);
                    return new RpcbindClient(client, version);
                }
                catch (RpcClientException exception)
                    when (exception.Status == RpcAcceptStatus.ProgramMismatch && version > RpcbindProtocol.Portmap)
                {
                    // The next lower version may be spoken.
                }
            }
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks a machine's rpcbind where a program listens, in version 2, which all speak.</summary>
    /// <returns>The port; 0 if the program is not registered.</returns>
    /// <exception cref="RpcClientException">No rpcbind runs there.</exception>
    /// <exception cref="RpcTimeoutException">It does not answer.</exception>
    public static async ValueTask<int> GetPortAsync(
        IPEndPoint rpcbind, uint program, uint version, RpcTransport transport, RpcTimeouts? timeouts = null, CancellationToken cancellationToken = default)
    {
        await using RpcbindClient client =
            await ConnectAsync(rpcbind, RpcbindProtocol.Portmap, timeouts, cancellationToken).ConfigureAwait(false);
        RpcbindNumber port = await client._client.CallAsync<PortmapMapping, RpcbindNumber>(
            RpcbindProtocol.Program,
            RpcbindProtocol.Portmap,
            RpcbindProtocol.GetAddress,
            new PortmapMapping(program, version, (uint)transport, 0),
            cancellationToken).ConfigureAwait(false);
        return port.Value <= ushort.MaxValue ? (int)port.Value : 0;
    }

    /// <summary>Whether the version spoken has a place for the transport: version 2 knows no IPv6.</summary>
    public bool Knows(string netId) => _version > RpcbindProtocol.Portmap || netId is NetId.Tcp or NetId.Udp;

    /// <summary>Registers; false if rpcbind refuses.</summary>
    public ValueTask<bool> SetAsync(RpcbindRecord record, CancellationToken cancellationToken = default) =>
        ChangeAsync(RpcbindProtocol.Set, record, cancellationToken);

    /// <summary>
    /// Takes a registration back; in version 2, that of the other transport with it. False if there was none, or rpcbind refuses.
    /// </summary>
    public ValueTask<bool> UnsetAsync(RpcbindRecord record, CancellationToken cancellationToken = default) =>
        ChangeAsync(RpcbindProtocol.Unset, record, cancellationToken);

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async ValueTask<bool> ChangeAsync(uint procedure, RpcbindRecord record, CancellationToken cancellationToken)
    {
        ValueTask<RpcbindBoolean> call = _version == RpcbindProtocol.Portmap
            ? CallAsync(procedure, Mapping(record), cancellationToken)
            : CallAsync(procedure, Rpcb(record), cancellationToken);
        return (await call.ConfigureAwait(false)).Value;
    }

    private ValueTask<RpcbindBoolean> CallAsync<TArguments>(uint procedure, TArguments arguments, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments> =>
        _client.CallAsync<TArguments, RpcbindBoolean>(RpcbindProtocol.Program, _version, procedure, arguments, cancellationToken);

    private static PortmapMapping Mapping(RpcbindRecord record) =>
        new(record.Program, record.Version, (uint)NetId.Transport(record.NetId), (uint)record.EndPoint.Port);

    private static RpcbindMapping Rpcb(RpcbindRecord record) => new(
        record.Program, record.Version, Encoding.ASCII.GetBytes(record.NetId), UniversalAddress.Format(record.EndPoint),
        Encoding.ASCII.GetBytes(record.Owner));
}
