using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd.Systemd;

/// <summary>
/// Tells systemd how the service stands: a datagram of assignments, as sd_notify(3) has it. Does nothing where nobody listens. Thread-safe.
/// </summary>
internal sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _manager;
    private readonly ILogger _logger;

    public SystemdNotifier(ServiceEnvironment environment, ILogger logger)
    {
        _logger = logger;
        if (environment.NotifySocket is not { } path)
            return;
        _manager = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    }

    /// <summary>Whether somebody listens.</summary>
    public bool IsHeard => _socket is not null;

    /// <summary>It serves; after <see cref="Reloading"/>: it serves what its files say now.</summary>
    public void Ready(string status) => Send($"READY=1\n{Line(status)}");

    /// <summary>What <c>systemctl status</c> shows.</summary>
    public void Status(string status) => Send(Line(status));

    /// <summary>It reads its files anew. The time is what tells systemd that this is of its latest request, not of one before (Type=notify-reload).</summary>
    public void Reloading()
    {
        // The stopwatch is CLOCK_MONOTONIC here, which is the clock that systemd compares with.
        long now = (long)(Stopwatch.GetTimestamp() * (1_000_000.0 / Stopwatch.Frequency));
        Send($"RELOADING=1\nMONOTONIC_USEC={now}");
    }

    /// <summary>It lives.</summary>
    public void Alive() => Send("WATCHDOG=1");

    /// <summary>It has been told to end.</summary>
    public void Stopping(string status) => Send($"STOPPING=1\n{Line(status)}");

    public void Dispose() => _socket?.Dispose();

    // A path may have line breaks, and what follows one would be an assignment of its own.
    private static string Line(string status) => $"STATUS={status.ReplaceLineEndings(" ")}";

    private void Send(string assignments)
    {
        if (_socket is null)
            return;
        try
        {
            using BlockingScope scope = Worker.Blocking(); // its receiver may be slow
            _socket.SendTo(Encoding.UTF8.GetBytes(assignments), _manager!);
        }
        catch (SocketException exception)
        {
            DaemonLog.NotNotified(_logger, exception.Message);
        }
    }
}
