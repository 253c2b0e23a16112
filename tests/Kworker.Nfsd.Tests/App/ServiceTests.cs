using System.Net.Sockets;
using System.Text;
using Kworker.Apps.Nfsd.Systemd;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.Tests.V3;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.App;

/// <summary>What systemd is told, under a clock that the test moves.</summary>
public sealed class ServiceTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly KworkerSystem _system;
    private readonly ServiceEnvironment _environment;
    private readonly SystemdNotifier _notifier;

    public ServiceTests()
    {
        string path = Path.Combine(_directory.Path, "notify");
        _manager.Bind(new UnixDomainSocketEndPoint(path));
        _manager.ReceiveTimeout = (int)s_limit.TotalMilliseconds;
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _clock });
        _environment = new ServiceEnvironment { NotifySocket = path, WatchdogLimit = TimeSpan.FromSeconds(60) };
        _notifier = new SystemdNotifier(_environment, NullLogger.Instance);
    }

    public void Dispose()
    {
        _notifier.Dispose();
        _manager.Dispose();
        _system.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_end_of_the_grace_period_is_said_and_that_it_is_over()
    {
        TimeSpan? left = TimeSpan.FromSeconds(90);
        await using var status = new ServiceStatus(_notifier, () => left, _system);
        status.Serve([ExportTable.ParseArgument("/srv:rw")]);
        status.Ready();
        Assert.Equal("READY=1\nSTATUS=Serving /srv (rw); grace period until 12:01:30 at the latest: clients take back what they held, nobody gets anything new", Hear());

        // It ends early: all clients are back.
        left = null;
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("STATUS=Serving /srv (rw)", Hear());
    }

    [Fact]
    public void A_line_break_begins_no_assignment()
    {
        _notifier.Status("refused: no such file: /srv\nMAINPID=1");
        Assert.Equal("STATUS=refused: no such file: /srv MAINPID=1", Hear());
    }

    [Fact]
    public async Task A_pool_that_stands_still_does_not_say_that_it_lives()
    {
        await using SystemdWatchdog watchdog = SystemdWatchdog.Start(_environment, _notifier, _system)!;
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("WATCHDOG=1", Hear());

        Assert.True(SpinWait.SpinUntil(() => _system.Snapshot().Workqueues.All(static queue => queue.InFlight.Count == 0), s_limit));

        // As many items as may run at once compute, and give nothing else a turn. The next time is theirs who come after.
        using var begun = new CountdownEvent(Environment.ProcessorCount);
        bool isHeld = true;
        await using var queue = new Workqueue("stuck", new WorkqueueOptions(), _system);
        for (int i = 0; i < Environment.ProcessorCount; i++)
        {
            queue.Queue(new Work<CountdownEvent>(begun, all =>
            {
                all.Signal();
                while (Volatile.Read(ref isHeld))
                    Thread.SpinWait(100);
            }));
        }
        Assert.True(begun.Wait(s_limit));
        _clock.Advance(TimeSpan.FromSeconds(60));
        bool isHeard = _manager.Available > 0;
        Volatile.Write(ref isHeld, false);
        Assert.False(isHeard);
        Assert.Equal("WATCHDOG=1", Hear());
    }

    [Fact]
    public void What_systemd_says_is_for_this_process_alone()
    {
        string[] names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];
        string own = $"{Environment.ProcessId}";
        Assert.Equal(("/notify", TimeSpan.FromHours(2), "a,unknown,b"), Take("/notify", "7200000000", own, own, "3", "a::b"));
        Assert.Equal(("@notify", TimeSpan.FromSeconds(1), "unknown"), Take("@notify", "1000000", null, own, "1", null));
        Assert.Equal((null, null, ""), Take(null, "1000000", "1", "1", "2", "a:b"));
        Assert.Equal((null, null, ""), Take("", "many", own, own, "-1", ""));

        (string?, TimeSpan?, string) Take(params string?[] values)
        {
            for (int i = 0; i < names.Length; i++)
                Environment.SetEnvironmentVariable(names[i], values[i]);
            ServiceEnvironment taken = ServiceEnvironment.Take();
            Assert.All(names, static name => Assert.Null(Environment.GetEnvironmentVariable(name)));
            return (taken.NotifySocket, taken.WatchdogLimit, string.Join(',', taken.Descriptors));
        }
    }

    [Fact]
    public void Nobody_who_listens_is_told()
    {
        using var notifier = new SystemdNotifier(ServiceEnvironment.None, NullLogger.Instance);
        Assert.False(notifier.IsHeard);
        notifier.Ready("nobody hears it");
        Assert.Null(SystemdWatchdog.Start(ServiceEnvironment.None, notifier, _system));
        Assert.Equal(0, _manager.Available);
    }

    private string Hear()
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, _manager.Receive(buffer));
    }
}
