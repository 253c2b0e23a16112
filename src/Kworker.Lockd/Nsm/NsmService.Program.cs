using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nsm;

// The procedures. SM_MON, SM_UNMON, SM_UNMON_ALL and SM_SIMU_CRASH are for root of this machine: the call must come from an address of ours
// and (unless told otherwise) from a port that only root gets. SM_STAT and SM_NOTIFY are for everybody.
internal sealed partial class NsmService
{
    private const int FirstOrdinaryPort = 1024;
    private const int MaximumMonitorsPerName = 64;

    /// <summary>How long a program of this machine is tried that does not take what it asked to be told.</summary>
    private static readonly TimeSpan s_callBackFor = TimeSpan.FromMinutes(5);

    /// <summary>The program to serve.</summary>
    public RpcProgram ToRpcProgram() => new RpcProgram(NsmProtocol.Program, "status")
        .Procedure<NsmName, NsmStatResult>(NsmProtocol.Version, NsmProtocol.Stat, "STAT", Stat, RpcProcedureFlags.Idempotent)
        .Procedure<NsmMon, NsmStatResult>(NsmProtocol.Version, NsmProtocol.Mon, "MON", Mon)
        .Procedure<NsmMonId, NsmState>(NsmProtocol.Version, NsmProtocol.Unmon, "UNMON", Unmon)
        .Procedure<NsmMyId, NsmState>(NsmProtocol.Version, NsmProtocol.UnmonAll, "UNMON_ALL", UnmonAll)
        .Procedure<XdrVoid, XdrVoid>(NsmProtocol.Version, NsmProtocol.SimuCrash, "SIMU_CRASH", SimuCrash)
        .Procedure<NsmStateChange, XdrVoid>(NsmProtocol.Version, NsmProtocol.Notify, "NOTIFY", Notify, RpcProcedureFlags.Idempotent);

    // Whether the host could be monitored. Names are looked up for this machine only: nobody else is to have us ask around.
    private NsmStatResult Stat(RpcCall call, NsmName arguments)
    {
        bool can = IPAddress.TryParse(Text(arguments.MonName), out _) || (IsOfThisMachine(call) && Resolve(Text(arguments.MonName)) is not null);
        return new NsmStatResult(can ? NsmResult.Success : NsmResult.Failure, State);
    }

    private NsmStatResult Mon(RpcCall call, NsmMon arguments)
    {
        string name = Text(arguments.MonId.MonName);
        bool done = false;
        if (MayAsk(call, "SM_MON") && Resolve(name) is { } address)
        {
            Monitor(name, address, null, monitors =>
            {
                monitors.Others.RemoveAll(other => IsSame(other.MonId.MyId, arguments.MonId.MyId));
                done = monitors.Others.Count < MaximumMonitorsPerName;
                if (done)
                    monitors.Others.Add(arguments);
            });
        }
        return new NsmStatResult(done ? NsmResult.Success : NsmResult.Failure, State);
    }

    private NsmState Unmon(RpcCall call, NsmMonId arguments)
    {
        string name = Text(arguments.MonName);
        if (MayAsk(call, "SM_UNMON"))
        {
            foreach (IPAddress address in AddressesOf(name))
                Unmonitor(name, address, monitors => monitors.Others.RemoveAll(other => IsSame(other.MonId.MyId, arguments.MyId)));
        }
        return new NsmState(State);
    }

    private NsmState UnmonAll(RpcCall call, NsmMyId arguments)
    {
        if (MayAsk(call, "SM_UNMON_ALL"))
        {
            foreach ((IPAddress address, string name) in MonitoredByOthers())
                Unmonitor(name, address, monitors => monitors.Others.RemoveAll(other => IsSame(other.MonId.MyId, arguments)));
        }
        return new NsmState(State);
    }

    // As if those programs of this machine had crashed that have hosts monitored over the wire: these hosts are told, with a new state. Locks
    // of this process are as they were, and those who hold them need not know.
    private XdrVoid SimuCrash(RpcCall call, XdrVoid arguments)
    {
        if (!MayAsk(call, "SM_SIMU_CRASH"))
            return default;
        List<(IPAddress Address, string Name)> monitored = MonitoredByOthers();
        lock (_storing)
        {
            using BlockingScope scope = Worker.Blocking();
            int state = NsmStore.Raised(State);
            if (!TryStore(static (store, number) => store.WriteState(number), state))
                return default;
            Volatile.Write(ref _state, state);
            foreach ((IPAddress address, _) in monitored)
                TryStore(static (store, host) => store.AddToNotify(host, null), address);
        }
        foreach ((IPAddress address, string name) in monitored)
            Unmonitor(name, address, static monitors => monitors.Others.Clear());
        foreach (IPAddress address in monitored.Select(host => host.Address).Distinct())
            NotifyHost(address, null);
        return default;
    }

    // By address: a name is what anybody can write.
    private XdrVoid Notify(RpcCall call, NsmStateChange arguments)
    {
        HostChanged(call.RemoteEndPoint.Address, arguments.State);
        return default;
    }

    /// <summary>Tells a program of this machine that a host has rebooted.</summary>
    private void CallBack(string name, int state, NsmMon monitor) => _caller.Begin(new NsmCall
    {
        Address = IPAddress.Loopback,
        Program = monitor.MonId.MyId.MyProgram,
        Version = monitor.MonId.MyId.MyVersion,
        Procedure = monitor.MonId.MyId.MyProcedure,
        Arguments = [Encode(new NsmStatus(Encoding.Latin1.GetBytes(name), state, monitor.Private))],
        GiveUpAfter = s_callBackFor,
        Ended = static (_, _) => { },
    });

    private bool MayAsk(RpcCall call, string procedure)
    {
        bool may = IsOfThisMachine(call) && (!_options.RequireReservedPort || call.RemoteEndPoint.Port < FirstOrdinaryPort);
        if (!may)
            NsmLog.Refused(_logger, call.RemoteEndPoint, procedure);
        return may;
    }

    // The kernel lets no packet in from outside that claims to come from an address of this machine.
    private bool IsOfThisMachine(RpcCall call)
    {
        IPAddress address = call.RemoteEndPoint.Address;
        if (_options.IsOwnAddress is { } isOwn)
            return isOwn(address);
        return IPAddress.IsLoopback(address)
            || address.Equals(call.LocalEndPoint.Address)
            || NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(device => device.GetIPProperties().UnicastAddresses)
                .Any(own => own.Address.Equals(address));
    }

    private static IPAddress? Resolve(string name)
    {
        if (IPAddress.TryParse(name, out IPAddress? address))
            return Plain(address);
        try
        {
            using BlockingScope scope = Worker.Blocking();
            return Dns.GetHostAddresses(name).Select(Plain).FirstOrDefault();
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            return null;
        }
    }

    private List<IPAddress> AddressesOf(string name)
    {
        lock (_lock)
            return [.. _hosts.Values.Where(host => host.Names.ContainsKey(name)).Select(host => host.Address)];
    }

    private List<(IPAddress Address, string Name)> MonitoredByOthers(bool alone = false)
    {
        lock (_lock)
        {
            return [.. _hosts.Values.SelectMany(host => host.Names
                .Where(name => name.Value.Others.Count > 0 && (!alone || name.Value.Own == 0))
                .Select(name => (host.Address, name.Key)))];
        }
    }

    private static bool IsSame(NsmMyId one, NsmMyId other) =>
        (one.MyProgram, one.MyVersion, one.MyProcedure) == (other.MyProgram, other.MyVersion, other.MyProcedure)
        && one.MyName.AsSpan().SequenceEqual(other.MyName);

    private static string Text(byte[] name) => Encoding.Latin1.GetString(name);
}
