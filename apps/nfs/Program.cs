using System.CommandLine;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace Kworker.Apps.Nfs;

internal static class Program
{
    /// <summary>Something could not be done.</summary>
    public const int Failure = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int UsageError = 2;

    /// <summary>Ended by SIGINT, as shells count it.</summary>
    public const int Interrupted = 130;

    // Told to end, what is open is closed, and locks are given back: if the server answers.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static Task<int> Main(string[] arguments) => RunAsync(arguments, Console.Out, Console.Error);

    /// <summary>The whole program with its exits: 0; 1 when something could not be done; 2 when it was not understood.</summary>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error)
    {
        ParseResult parsed = new CommandLine(output, error).Root.Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not { Terminating: true, ClearsParseErrors: true })
        {
            bool isUnknown = parsed.CommandResult.Command is RootCommand && parsed.UnmatchedTokens.Count > 0;
            string what = isUnknown ? $"There is no command {parsed.UnmatchedTokens[0]}." : parsed.Errors[0].Message;
            await error.WriteLineAsync($"nfs: {what} See nfs --help.");
            return UsageError;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = s_patience });
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            await error.WriteLineAsync($"nfs: {exception.Message}");
            return Failure;
        }
        catch (FormatException exception)
        {
            await error.WriteLineAsync($"nfs: {exception.Message}. See nfs --help.");
            return UsageError;
        }
    }
}
