using System.Net;
using System.Text;

namespace Kworker.SunRpc;

/// <summary>Talks to the rpcbind of this machine, in the highest version that it speaks.</summary>
internal sealed class RpcbindClient : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private readonly RpcClient _client;
    private readonly uint _version;

    private RpcbindClient(RpcClient client, uint version)
    {
        _client = client;
        _version = version;
    }

    /// <summary>The version spoken: 4, 3 or 2.</summary>
    public uint Version => _version;

    /// <summary>Connects to the rpcbind at an address of this machine, from a reserved port if we may.</summary>
    /// <param name="server">Where it listens.</param>
    /// <param name="highest">The highest version to try.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="System.Net.Sockets.SocketException">None runs there.</exception>
    /// <exception cref="RpcClientException">What runs there is no rpcbind.</exception>
    public static async ValueTask<RpcbindClient> ConnectAsync(
        IPEndPoint server, uint highest = RpcbindProtocol.Version4, CancellationToken cancellationToken = default)
    {
        RpcTcpClient client = await RpcTcpClient.ConnectAsync(server, fromReservedPort: true, cancellationToken).ConfigureAwait(false);
        try
        {
            for (uint version = highest; ; version--)
            {
                try
                {
                    await client.CallAsync<XdrVoid, XdrVoid>(
                        RpcbindProtocol.Program, version, RpcbindProtocol.Null, default, s_timeout, cancellationToken).ConfigureAwait(false);
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
        _client.CallAsync<TArguments, RpcbindBoolean>(RpcbindProtocol.Program, _version, procedure, arguments, s_timeout, cancellationToken);

    private static PortmapMapping Mapping(RpcbindRecord record) =>
        new(record.Program, record.Version, (uint)NetId.Transport(record.NetId), (uint)record.EndPoint.Port);

    private static RpcbindMapping Rpcb(RpcbindRecord record) => new(
        record.Program, record.Version, Encoding.ASCII.GetBytes(record.NetId), UniversalAddress.Format(record.EndPoint),
        Encoding.ASCII.GetBytes(record.Owner));
}
