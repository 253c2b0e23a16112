using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>A server's programs made known, with the rpcbind of this machine or with our own; disposed, they are no longer.</summary>
internal sealed class RpcbindRegistration : IAsyncDisposable
{
    private readonly IPEndPoint _rpcbind;
    private readonly List<RpcbindRecord> _records;
    private readonly ILogger _logger;

    private RpcbindRegistration(RpcServer? builtIn, IPEndPoint rpcbind, List<RpcbindRecord> records, ILogger logger)
    {
        BuiltIn = builtIn;
        _rpcbind = rpcbind;
        _records = records;
        _logger = logger;
    }

    /// <summary>Our own rpcbind; null if it is the machine's.</summary>
    public RpcServer? BuiltIn { get; }

    /// <summary>Registers as the options say; null if the mode is Auto and there is no rpcbind to be had.</summary>
    /// <exception cref="InvalidOperationException">The rpcbind that the options ask for cannot be had.</exception>
    public static async ValueTask<RpcbindRegistration?> RegisterAsync(
        RpcServer server, RpcServerOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        var rpcbind = new IPEndPoint(IPAddress.Loopback, options.RpcbindPort);
        List<RpcbindRecord> records = Records(server);
        if (options.Rpcbind != RpcbindMode.BuiltIn)
        {
            try
            {
                await SetAllAsync(rpcbind, records, server, logger, cancellationToken).ConfigureAwait(false);
                return new RpcbindRegistration(null, rpcbind, records, logger);
            }
            catch (Exception exception) when (IsUnreachable(exception))
            {
                if (options.Rpcbind == RpcbindMode.System)
                    throw new InvalidOperationException($"No rpcbind answers on {rpcbind}: {exception.Message}", exception);
            }
        }
        try
        {
            RpcServer builtIn = await StartBuiltInAsync(records, options, cancellationToken).ConfigureAwait(false);
            RpcLog.BuiltInRpcbind(logger, builtIn.Port);
            return new RpcbindRegistration(builtIn, rpcbind, records, logger);
        }
        catch (SocketException exception)
        {
            if (options.Rpcbind == RpcbindMode.BuiltIn)
                throw new InvalidOperationException($"The built-in rpcbind cannot listen: {exception.Message}", exception);
            RpcLog.NoRpcbind(logger, options.RpcbindPort, exception.Message);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (BuiltIn is not null)
        {
            await BuiltIn.DisposeAsync().ConfigureAwait(false);
            return;
        }
        try
        {
            await using RpcbindClient client = await RpcbindClient.ConnectAsync(_rpcbind).ConfigureAwait(false);
            foreach (RpcbindRecord record in _records.Where(record => client.Knows(record.NetId)))
                await client.UnsetAsync(record).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUnreachable(exception))
        {
            // A rpcbind that is gone has forgotten us already; the server stops all the same.
            RpcLog.TransportFailed(_logger, exception, $"unregistering with rpcbind at {_rpcbind}");
        }
    }

    private static bool IsUnreachable(Exception exception) => exception is SocketException or RpcClientException or TimeoutException or XdrException;

    private static List<RpcbindRecord> Records(RpcServer server) =>
    [
        .. from program in server.Programs
           from version in program.Versions
           from endPoint in server.TcpEndPoints.Select(endPoint => (EndPoint: endPoint, Transport: RpcTransport.Tcp))
               .Concat(server.UdpEndPoints.Select(endPoint => (EndPoint: endPoint, Transport: RpcTransport.Udp)))
           let netId = NetId.Of(endPoint.Transport, endPoint.EndPoint.AddressFamily)
           group endPoint.EndPoint by (program.Number, version, netId) into places
           // One place for each transport: with several addresses the port is what counts, and the wildcard says "the one you came by".
           let place = places.Count() == 1 ? places.First() : Anywhere(places.First())
           select new RpcbindRecord(places.Key.Number, places.Key.version, places.Key.netId, place, RpcbindRecord.Superuser),
    ];

    private static IPEndPoint Anywhere(IPEndPoint endPoint) =>
        new(endPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, endPoint.Port);

    private static async ValueTask SetAllAsync(
        IPEndPoint rpcbind, List<RpcbindRecord> records, RpcServer server, ILogger logger, CancellationToken cancellationToken)
    {
        await using RpcbindClient client = await RpcbindClient.ConnectAsync(rpcbind, cancellationToken: cancellationToken).ConfigureAwait(false);
        // All old ones first: version 2 takes both transports back at once.
        foreach (RpcbindRecord record in records.Where(record => client.Knows(record.NetId)))
            await client.UnsetAsync(record, cancellationToken).ConfigureAwait(false);
        foreach (RpcbindRecord record in records.Where(record => client.Knows(record.NetId)))
        {
            string program = server.Programs.First(program => program.Number == record.Program).Name;
            string address = Encoding.ASCII.GetString(UniversalAddress.Format(record.EndPoint));
            if (await client.SetAsync(record, cancellationToken).ConfigureAwait(false))
                RpcLog.Registered(logger, program, record.Version, record.NetId, address);
            else
                RpcLog.NotRegistered(logger, program, record.Version, record.NetId, address, "refused");
        }
    }

    private static async ValueTask<RpcServer> StartBuiltInAsync(
        List<RpcbindRecord> records, RpcServerOptions options, CancellationToken cancellationToken)
    {
        var table = new RpcbindTable();
        KworkerSystem system = options.System ?? KworkerSystem.Current;
        var server = new RpcServer(new RpcServerOptions
        {
            Name = "rpcbind",
            Addresses = options.Addresses,
            Port = options.RpcbindPort,
            MaximumRecord = 64 << 10,
            MaximumActiveCalls = 8,
            MaximumConnections = options.MaximumConnections,
            System = system,
            Logger = options.Logger,
        });
        try
        {
            server.Add(new RpcbindService(table, system.TimeProvider).CreateProgram());
            await server.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        foreach (RpcbindRecord record in Records(server).Concat(records))
            table.Set(record);
        return server;
    }
}
