using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kworker.Apps.Nfsd.Control;
using Kworker.Apps.Nfsd.Page;
using Kworker.Apps.Nfsd.Systemd;
using Kworker.Lockd;
using Kworker.Nfsd;
using Kworker.Nfsd.Exports;
using Kworker.StatePage;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>Serves until it is told to end; at SIGHUP reads its files anew.</summary>
internal sealed class Daemon : IDisposable
{
    /// <summary>ASP.NET Core's word on a state page that cannot be served, with all its stack: we say it in a line.</summary>
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    private readonly Settings _settings;
    private readonly ServiceEnvironment _environment;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Directories _directories;
    private readonly SystemdNotifier _notifier;
    private readonly Work<Daemon> _reload;
    private volatile LogLevel _logLevel; // written by _reload alone
    private NfsServer? _server; // set before a signal is listened to
    private ServiceStatus? _status; // as _server

    private Daemon(Settings settings, ServiceEnvironment environment)
    {
        _settings = settings;
        _environment = environment;
        _logLevel = settings.LogLevel;
        _loggers = LoggerFactory.Create(logging =>
        {
            logging
                .SetMinimumLevel(LogLevel.Trace)
                .AddFilter((category, level) => level >= _logLevel && category != HostCategory)
                .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
            if (environment.IsJournal)
                logging.AddSystemdConsole();
            else
                logging.AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.TimestampFormat = "yyyy-MM-dd HH:mm:ss ";
                });
        });
        _logger = _loggers.CreateLogger("nfsd");
        _directories = new Directories(_logger);
        _notifier = new SystemdNotifier(environment, _logger);
        _reload = new Work<Daemon>(this, static async (daemon, _) => await daemon.ReloadAsync());
    }

    /// <exception cref="StartupException">It cannot serve.</exception>
    public static async Task RunAsync(Settings settings, ServiceEnvironment environment, TextWriter output, Termination termination)
    {
        using var daemon = new Daemon(settings, environment);
        await daemon.RunAsync(output, termination);
    }

    public void Dispose()
    {
        _notifier.Dispose();
        _loggers.Dispose();
    }

    private async Task RunAsync(TextWriter output, Termination termination)
    {
        IReadOnlyList<Socket> sockets = InheritedSockets.Open(_environment);
        IReadOnlyList<Export> exports = ReadExports(_settings);
        using StateLock state = StateLock.Take(_settings.StateDirectory);
        bool isIdle = true;
        try
        {
            _server = Make(_settings, sockets, [.. _directories.Open(exports)], _loggers);
            await StartAsync(_server, _settings);
            if (sockets.Count > 0)
                DaemonLog.SocketsInherited(_logger, string.Join(", ", _environment.Descriptors));
            StatePageOptions page = PageOptions(_server);
            await using ControlSocket? control = ControlSocket.TryListen(_settings.StateDirectory, new StateReader(page, TimeProvider.System), _logger);
            await using PageServer? http = _settings.Http is null ? null : await PageServer.StartAsync(_settings.Http, PageOptions(_server), _loggers);
            await using SystemdWatchdog? watchdog = SystemdWatchdog.Start(_environment, _notifier);
            await using ServiceStatus status = _status = new ServiceStatus(_notifier, () => _server!.GraceLeft);
            status.Serve(exports);
            using (PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp))
            {
                await output.WriteLineAsync(StartupLine.Of(_server.EndPoints, exports, _settings.Versions, HasLocks(_settings)));
                if (http is not null)
                    await output.WriteLineAsync($"nfsd: state page: {http.Address}");
                await output.FlushAsync();
                if (_settings.Http is { Password: not null } open && !IPAddress.IsLoopback(open.Address))
                    DaemonLog.PasswordInTheClear(_logger, http!.Address);
                status.Ready();
                await termination.WaitAsync();
            }
            await _reload.CancelSyncAsync();
            _notifier.Stopping("Ending: calls that run are finished, and data is synced");
            isIdle = await StopAsync(_server, _settings, _logger);
        }
        finally
        {
            // Not under the feet of a call that still runs: the process ends, and takes all with it.
            if (isIdle)
            {
                if (_server is not null)
                    await _server.DisposeAsync();
                _directories.Dispose();
            }
        }
    }

    private static StatePageOptions PageOptions(NfsServer server)
    {
        var options = new StatePageOptions { Title = "nfsd" };
        options.Sections.Add(() => ServerSections.Of(server));
        return options;
    }

    // The signal's thread is not one that may wait.
    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        _reload.Schedule();
    }

    /// <summary>Files may have changed, and the administrator may have mended what keeps the record of NFSv4 clients.</summary>
    private async ValueTask ReloadAsync()
    {
        _notifier.Reloading();
        try
        {
            Settings settings = _settings.Reread();
            IReadOnlyList<Export> exports = ReadExports(settings);
            _server!.ReplaceExports(_directories.Open(exports));
            _logLevel = settings.LogLevel;
            _status!.Serve(exports);
            DaemonLog.Reloaded(_logger, StartupLine.Served(exports), settings.LogLevel);
            string[] changed = [.. settings.Fixed.Except(_settings.Fixed).Concat(_settings.Fixed.Except(settings.Fixed)).Select(option => option.Key).Distinct()];
            if (changed.Length > 0)
                DaemonLog.TakesRestart(_logger, string.Join(", ", changed));
        }
        catch (Exception exception) when (exception is StartupException or ExportsFormatException)
        {
            _status!.Refuse(exception.Message);
            DaemonLog.NotReloaded(_logger, exception.Message);
        }
        try
        {
            await _server!.ResumeClientTrackingAsync();
        }
        finally
        {
            _status!.Ready(); // also after a reload that was refused: systemd waits for it
        }
    }

    // A client finds the lock manager by rpcbind alone.
    private static bool HasLocks(Settings settings) => settings.Locks && settings.Rpcbind != RpcbindMode.None;

    private static List<Export> ReadExports(Settings settings)
    {
        try
        {
            return [.. settings.Exports.Select(ExportTable.ParseArgument), .. settings.ExportFiles.SelectMany(ExportTable.ReadFile)];
        }
        catch (ExportsFormatException exception)
        {
            throw new StartupException(exception.Message, Program.UsageError, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"--exports: {exception.Message} Name a file that nfsd may read, or the directories themselves with --export.", innerException: exception);
        }
    }

    private static NfsServer Make(Settings settings, IReadOnlyList<Socket> sockets, IList<NfsExport> exports, ILoggerFactory loggers)
    {
        try
        {
            return new NfsServer(new NfsServerOptions
            {
                Exports = exports,
                Port = settings.Port,
                Addresses = settings.Addresses,
                Sockets = sockets,
                Rpcbind = settings.Rpcbind,
                StateDirectory = settings.StateDirectory,
                Locks = settings.Locks,
                LocalLocks = settings.LocalLocks,
                Nsm = settings.Nsm,
                Grace = settings.Grace,
                Lease = settings.Lease,
                Versions = settings.Versions,
                ClientTrackingProgram = settings.ClientTracking,
                ClientTrackingStorage = settings.ClientTrackingStorage,
                LoggerFactory = loggers,
            });
        }
        catch (ExportsFormatException exception)
        {
            throw new StartupException(exception.Message + ".", Program.UsageError, exception);
        }
        catch (InvalidDataException exception)
        {
            throw new StartupException(
                $"{exception.Message} Remove it (clients must then mount again), or name another directory with --state.", innerException: exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"the key of file handles cannot be kept in {settings.StateDirectory}: {exception.Message} Name another directory with --state.",
                innerException: exception);
        }
    }

    private static async Task StartAsync(NfsServer server, Settings settings)
    {
        try
        {
            await server.StartAsync();
        }
        catch (SocketException exception)
        {
            string advice = exception.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "Another server has it (the kernel's own, perhaps: systemctl stop nfs-server): stop that one, or choose another port with --port.",
                SocketError.AccessDenied => "Ports below 1024 are root's: choose a higher one with --port, as 20049, or run nfsd as root.",
                SocketError.AddressNotAvailable => "It is no address of this machine: name one with --bind, or 0.0.0.0 for all.",
                _ => "Choose others with --bind and --port.",
            };
            throw new StartupException($"{WithoutName(exception.Message)}. {advice}", innerException: exception);
        }
        catch (InvalidDataException exception)
        {
            throw new StartupException(
                $"{exception.Message} Remove it (clients that hold locks then lose them), or name another directory with --state.", innerException: exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"which clients hold locks cannot be kept in {settings.StateDirectory}: {exception.Message} Name another directory with --state, or serve no locks with --no-locks.",
                innerException: exception);
        }
        catch (InvalidOperationException exception) when (settings.Nsm == NsmMode.System && exception.Message.Contains("rpc.statd", StringComparison.Ordinal))
        {
            throw new StartupException($"{exception.Message} --nsm builtin takes that.", innerException: exception);
        }
        catch (InvalidOperationException exception)
        {
            string advice = settings.Rpcbind == RpcbindMode.BuiltIn
                ? "Where one runs already --rpcbind system has us named there; port 111 itself is root's."
                : "Start it, or let nfsd be it with --rpcbind builtin.";
            throw new StartupException(
                $"{exception.Message.TrimEnd('.')}. {advice} Clients that are told the port need none, but for locks: --rpcbind none goes without.",
                innerException: exception);
        }
    }

    /// <returns>Whether no call runs any more.</returns>
    private static async Task<bool> StopAsync(NfsServer server, Settings settings, ILogger logger)
    {
        using var patience = new CancellationTokenSource(settings.DrainTime);
        try
        {
            await server.StopAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            DaemonLog.DrainTimeUp(logger, settings.DrainTime.TotalSeconds);
            return false;
        }
    }

    // The RPC server says "nfsd cannot listen on ...", and so do we.
    private static string WithoutName(string message) => message.StartsWith("nfsd ", StringComparison.Ordinal) ? message["nfsd ".Length..].TrimEnd('.') : message.TrimEnd('.');
}
