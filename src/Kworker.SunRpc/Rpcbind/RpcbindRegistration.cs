using System.Net;
using System.Net.Sockets;
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
        var rpcbind = new IPEndPoint(options.RpcbindAddress, options.RpcbindPort);
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
                    throw new InvalidOperationException($"No rpcbind answers on {rpcbind}: {exception.GetBaseException().Message}", exception);
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
           where program.HasVersion(version, endPoint.Transport)
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
        var taken = new List<RpcbindRecord>();
        var refused = new List<RpcbindRecord>();
        foreach (RpcbindRecord record in records.Where(record => client.Knows(record.NetId)))
            (await client.SetAsync(record, cancellationToken).ConfigureAwait(false) ? taken : refused).Add(record);
        if (taken.Count > 0)
            RpcLog.Registered(logger, Describe(taken, server), rpcbind);
        if (refused.Count > 0)
            RpcLog.NotRegistered(logger, rpcbind, Describe(refused, server));
    }

    /// <summary>As "nfs version 3 (tcp, udp), mount version 3 (tcp, udp)": one line, however many there are.</summary>
    private static string Describe(IEnumerable<RpcbindRecord> records, RpcServer server) => string.Join(", ", records
        .GroupBy(record => (record.Program, record.Version), record => record.NetId)
        .Select(group => $"{server.Programs.First(program => program.Number == group.Key.Program).Name} version {group.Key.Version} ({string.Join(", ", group)})"));

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
