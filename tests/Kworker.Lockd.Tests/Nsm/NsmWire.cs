using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>One who calls the status monitor, from an address of its own.</summary>
internal sealed class NsmWire : IDisposable
{
    private static uint s_xid;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly IPEndPoint _server;

    public NsmWire(string from, IPEndPoint server)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        _server = server;
    }

    public static IPAddress Here { get; } = IPAddress.Parse("127.0.0.1");

    public async Task<TResult> CallAsync<TArguments, TResult>(uint procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        uint xid = await SendAsync(procedure, arguments);
        byte[] buffer = new byte[4096];
        while (true)
        {
            int length = await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None);
            if (BinaryPrimitives.ReadUInt32BigEndian(buffer) != xid)
                continue;
            var reader = new XdrReader(buffer.AsMemory(0, length));
            uint[] header = [reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32()];
            Assert.Equal([xid, 1, 0, 0, 0, 0], header);
            return TResult.Read(ref reader);
        }
    }

    public async Task<uint> SendAsync<TArguments>(uint procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        uint xid = Interlocked.Increment(ref s_xid);
        using var writer = new XdrWriter();
        foreach (uint number in (uint[])[xid, 0, 2, NsmProtocol.Program, NsmProtocol.Version, procedure, 0, 0, 0, 0])
            writer.WriteUInt32(number);
        arguments.Write(writer);
        await _socket.SendToAsync(writer.Written, SocketFlags.None, _server);
        return xid;
    }

    public Task NotifyAsync(string name, int state) =>
        CallAsync<NsmStateChange, XdrVoid>(NsmProtocol.Notify, new NsmStateChange(System.Text.Encoding.Latin1.GetBytes(name), state));

    public void Dispose() => _socket.Dispose();
}

/// <summary>A status monitor that is served, with what it tells of.</summary>
internal sealed class NsmTestServer : IAsyncDisposable
{
    private readonly RpcServer _rpc = new(new RpcServerOptions { Name = "nsm-test", Addresses = [IPAddress.Loopback] });
    private readonly Completion _reported = new();
    private readonly List<NsmReboot> _reboots = [];

    public NsmTestServer(NsmOptions options)
    {
        Service = new NsmService(options);
        Service.HostRebooted += reboot =>
        {
            lock (_reboots)
                _reboots.Add(reboot);
            _reported.Complete();
        };
        Service.Start();
        _rpc.Add(Service.ToRpcProgram());
    }

    public NsmService Service { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, _rpc.Port);

    public NsmReboot[] Reboots
    {
        get
        {
            lock (_reboots)
                return [.. _reboots];
        }
    }

    public ValueTask StartAsync() => _rpc.StartAsync();

    /// <summary>Waits for one more report.</summary>
    public async Task ReportedAsync() => await _reported.WaitAsync();

    public async ValueTask DisposeAsync()
    {
        await _rpc.DisposeAsync();
        await Service.DisposeAsync();
    }
}

/// <summary>A host with a status monitor behind its rpcbind, that keeps what it is told.</summary>
internal sealed class NsmPeer : IAsyncDisposable
{
    private readonly RpcServer _rpc;
    private readonly List<(string Name, int State, IPAddress From)> _told = [];

    public NsmPeer(string address, int rpcbindPort)
    {
        Address = IPAddress.Parse(address);
        _rpc = new RpcServer(new RpcServerOptions
        {
            Name = "peer",
            Addresses = [Address],
            Rpcbind = RpcbindMode.BuiltIn,
            RpcbindPort = rpcbindPort,
        });
        _rpc.Add(new RpcProgram(NsmProtocol.Program, "status").Procedure<NsmStateChange, XdrVoid>(1, NsmProtocol.Notify, "NOTIFY", (call, change) =>
        {
            lock (_told)
                _told.Add((System.Text.Encoding.Latin1.GetString(change.MonName), change.State, call.RemoteEndPoint.Address));
            Told.Complete();
            return default;
        }));
    }

    public IPAddress Address { get; }

    /// <summary>Completed once for each notify.</summary>
    public Completion Told { get; } = new();

    public (string Name, int State, IPAddress From)[] All
    {
        get
        {
            lock (_told)
                return [.. _told];
        }
    }

    public ValueTask StartAsync() => _rpc.StartAsync();

    public ValueTask DisposeAsync() => _rpc.DisposeAsync();

    /// <summary>A port that is free at the addresses used here, and stays so: none that the kernel hands out by itself.</summary>
    public static int FreePort()
    {
        const int First = 20_000;
        const int Count = 12_000; // up to where the kernel's own begin
        while (true)
        {
            int port = First + (int)((uint)(Environment.ProcessId * 37 + Interlocked.Increment(ref s_ports)) % Count);
            try
            {
                using var stream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                stream.Bind(new IPEndPoint(IPAddress.Any, port));
                datagram.Bind(new IPEndPoint(IPAddress.Any, port));
                return port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }

    private static int s_ports;
}
