using System.CommandLine;
using System.Runtime.Versioning;
using Kworker.Apps.Nfsd.Systemd;

[assembly: SupportedOSPlatform("linux")]

namespace Kworker.Apps.Nfsd;

internal static class Program
{
    /// <summary>The command line cannot be understood.</summary>
    public const int UsageError = 2;

    public static async Task<int> Main(string[] arguments)
    {
        using var termination = new Termination();
        return await RunAsync(arguments, Console.Out, Console.Error, termination, ServiceEnvironment.Take());
    }

    /// <summary>The whole program, with its exits: 0 when it was told to end, 1 when it cannot serve, 2 when it was not understood.</summary>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, Termination termination, ServiceEnvironment? environment = null)
    {
        var commandLine = new CommandLine();
        ParseResult parsed = commandLine.Root.Parse(arguments);
        if (parsed.Errors.Count > 0 && !commandLine.IsQuestion(parsed))
        {
            // One line, and the one thing to do: all of --help below it would hide it.
            await error.WriteLineAsync($"nfsd: {parsed.Errors[0].Message} See nfsd --help.");
            return UsageError;
        }
        if (commandLine.IsQuestion(parsed) || parsed.CommandResult.Command != commandLine.Root)
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = null });
        try
        {
            await Daemon.RunAsync(commandLine.Read(parsed), environment ?? ServiceEnvironment.None, output, termination);
            return 0;
        }
        catch (StartupException exception)
        {
            await error.WriteLineAsync($"nfsd: {exception.Message}");
            return exception.ExitCode;
        }
    }
}
