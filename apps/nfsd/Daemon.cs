using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kworker.Lockd;
using Kworker.Nfsd;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>Serves until it is told to end.</summary>
internal static class Daemon
{
    /// <exception cref="StartupException">It cannot serve.</exception>
    public static async Task RunAsync(Settings settings, TextWriter output, Termination termination)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(settings.LogLevel)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-dd HH:mm:ss ";
            }));
        IReadOnlyList<Export> exports = ReadExports(settings);
        var directories = new List<LocalFileSystem>();
        NfsServer? server = null;
        bool isIdle = true;
        try
        {
            foreach (Export export in exports)
                directories.Add(Open(export));
            TellLimits(exports, directories, loggers.CreateLogger("nfsd"));
            server = Make(settings, [.. exports.Zip(directories, (export, directory) => new NfsExport(export, directory))], loggers);
            await StartAsync(server, settings);
            using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => ResumeTracking(context, server));
            await output.WriteLineAsync(StartupLine.Of(server.EndPoints, exports, settings.Versions, HasLocks(settings)));
            await output.FlushAsync();
            await termination.WaitAsync();
            isIdle = await StopAsync(server, settings, loggers.CreateLogger("nfsd"));
        }
        finally
        {
            // Not under the feet of a call that still runs: the process ends, and takes all with it.
            if (isIdle)
                await DisposeAsync(server, directories);
        }
    }

    // What the administrator has mended. The signal's thread is not one that may wait for it.
    private static void ResumeTracking(PosixSignalContext context, NfsServer server)
    {
        context.Cancel = true;
        new Work<NfsServer>(server, static async (server, _) => await server.ResumeClientTrackingAsync()).Schedule();
    }

    // A client finds the lock manager by rpcbind alone.
    private static bool HasLocks(Settings settings) => settings.Locks && settings.Rpcbind != RpcbindMode.None;

    private static async Task DisposeAsync(NfsServer? server, List<LocalFileSystem> directories)
    {
        if (server is not null)
            await server.DisposeAsync();
        foreach (LocalFileSystem directory in directories)
            directory.Dispose();
    }

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

    private static LocalFileSystem Open(Export export)
    {
        try
        {
            ulong? fileSystemId = export.Clients.Any(client => client.Options.FileSystemId is not null) ? export.Id : null;
            return LocalFileSystem.Open(export.PathBytes, new LocalFileSystemOptions { IsAsync = export.IsAsync, FileSystemId = fileSystemId });
        }
        catch (IOException exception)
        {
            string advice = Directory.Exists(export.Path) ? "" : " Export a directory that is there.";
            throw new StartupException(exception.Message + advice, innerException: exception);
        }
    }

    private static void TellLimits(IReadOnlyList<Export> exports, List<LocalFileSystem> directories, ILogger logger)
    {
        foreach ((Export export, LocalFileSystem directory) in exports.Zip(directories))
        {
            if (!directory.IsImpersonating)
                DaemonLog.NotImpersonating(logger, export.Path);
            if (!directory.IsOpeningByHandle)
                DaemonLog.NotOpeningByHandle(logger, export.Path);
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
