using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kworker.Apps.Nfsd.Control;
using Kworker.Apps.Nfsd.Page;
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
    private readonly Settings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Directories _directories;
    private readonly Work<Daemon> _reload;
    private volatile LogLevel _logLevel; // written by _reload alone
    private NfsServer? _server; // set before a signal is listened to

    private Daemon(Settings settings)
    {
        _settings = settings;
        _logLevel = settings.LogLevel;
        _loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(LogLevel.Trace)
            .AddFilter((_, level) => level >= _logLevel)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-dd HH:mm:ss ";
            }));
        _logger = _loggers.CreateLogger("nfsd");
        _directories = new Directories(_logger);
        _reload = new Work<Daemon>(this, static async (daemon, _) => await daemon.ReloadAsync());
    }

    /// <exception cref="StartupException">It cannot serve.</exception>
    public static async Task RunAsync(Settings settings, TextWriter output, Termination termination)
    {
        using var daemon = new Daemon(settings);
        await daemon.RunAsync(output, termination);
    }

    public void Dispose() => _loggers.Dispose();

    private async Task RunAsync(TextWriter output, Termination termination)
    {
        IReadOnlyList<Export> exports = ReadExports(_settings);
        bool isIdle = true;
        try
        {
            _server = Make(_settings, [.. _directories.Open(exports)], _loggers);
            await StartAsync(_server, _settings);
            StatePageOptions page = PageOptions(_server);
            await using ControlSocket? control = ControlSocket.TryListen(_settings.StateDirectory, new StateReader(page, TimeProvider.System), _logger);
            await using PageServer? http = _settings.Http is null ? null : await PageServer.StartAsync(_settings.Http, PageOptions(_server), _loggers);
            using (PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp))
            {
                await output.WriteLineAsync(StartupLine.Of(_server.EndPoints, exports, _settings.Versions, HasLocks(_settings)));
                if (http is not null)
                    await output.WriteLineAsync($"nfsd: state page: {http.Address}");
                await output.FlushAsync();
                if (_settings.Http is { Password: not null } open && !IPAddress.IsLoopback(open.Address))
                    DaemonLog.PasswordInTheClear(_logger, http!.Address);
                await termination.WaitAsync();
            }
            await _reload.CancelSyncAsync();
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
        try
        {
            Settings settings = _settings.Reread();
            IReadOnlyList<Export> exports = ReadExports(settings);
            _server!.ReplaceExports(_directories.Open(exports));
            _logLevel = settings.LogLevel;
            DaemonLog.Reloaded(_logger, StartupLine.Served(exports), settings.LogLevel);
            string[] changed = [.. settings.Fixed.Except(_settings.Fixed).Concat(_settings.Fixed.Except(settings.Fixed)).Select(option => option.Key).Distinct()];
            if (changed.Length > 0)
                DaemonLog.TakesRestart(_logger, string.Join(", ", changed));
        }
        catch (Exception exception) when (exception is StartupException or ExportsFormatException)
        {
            DaemonLog.NotReloaded(_logger, exception.Message);
        }
        await _server!.ResumeClientTrackingAsync();
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
            throw new StartupException($"--exports: {exception.Message}", innerException: exception);
        }
    }

    private static NfsServer Make(Settings settings, IList<NfsExport> exports, ILoggerFactory loggers)
    {
        try
        {
            return new NfsServer(new NfsServerOptions
            {
                Exports = exports,
                Port = settings.Port,
                Addresses = settings.Addresses,
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
                SocketError.AddressAlreadyInUse => "Another server has it (the kernel's own, perhaps): stop that one, or choose another port with --port.",
                SocketError.AccessDenied => "Ports below 1024 are root's: choose a higher one with --port, or run nfsd as root.",
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
            throw new StartupException(
                $"{exception.Message.TrimEnd('.')}. Clients that are told the port need no rpcbind: --rpcbind none goes without.",
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
