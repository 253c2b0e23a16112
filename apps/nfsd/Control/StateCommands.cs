using System.CommandLine;
using System.Text.Json;
using Kworker.StatePage;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Kworker.Apps.Nfsd.Control;

/// <summary><c>nfsd status</c> and <c>nfsd top</c>: what a server that runs is at.</summary>
internal static class StateCommands
{
    private const int StatusRows = 20;

    public static Command Status(Option<string> state)
    {
        var json = new Option<bool>("--json") { Description = "As JSON, for programs." };
        var all = new Option<bool>("--all") { Description = "All rows, and tables without rows, too." };
        var command = new Command("status", "Tells how the server that runs with the directory of --state stands: exports, clients, locks, queues.") { state, json, all };
        command.SetAction((parsed, _) => StatusAsync(parsed.GetValue(state)!, parsed.GetValue(json), parsed.GetValue(all), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    public static Command Top(Option<string> state)
    {
        var command = new Command("top", "Shows the same live, until q or Ctrl-C.") { state };
        command.SetAction((parsed, cancellation) => TopAsync(parsed.GetValue(state)!, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation));
        return command;
    }

    private static async Task<int> StatusAsync(string stateDirectory, bool asJson, bool all, TextWriter output, TextWriter error)
    {
        try
        {
            using ControlClient client = await ControlClient.ConnectAsync(stateDirectory);
            StateDocument document = await client.ReadAsync(CancellationToken.None) ?? throw new StartupException("the server has too many who watch it, or ends.");
            if (asJson)
                await output.WriteLineAsync(JsonSerializer.Serialize(document, StateJson.Default.StateDocument));
            else
                ConsoleFor(output).Write(StateScreen.Of(document, all ? int.MaxValue : StatusRows, all));
            return 0;
        }
        catch (StartupException exception)
        {
            await error.WriteLineAsync($"nfsd status: {exception.Message}");
            return exception.ExitCode;
        }
    }

    private static async Task<int> TopAsync(string stateDirectory, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        try
        {
            using ControlClient client = await ControlClient.ConnectAsync(stateDirectory);
            IAnsiConsole console = ConsoleFor(output);
            using var quit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (!console.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
            {
                while (await client.ReadAsync(quit.Token) is { } next)
                    console.Write(StateScreen.Of(next, RowsOf(console), includeEmpty: false));
                return 0;
            }

            bool hasEnded = false;
            console.AlternateScreen(() => Watch(client, console, quit, out hasEnded));
            if (hasEnded)
                await error.WriteLineAsync("nfsd top: the server has ended.");
            return hasEnded ? 1 : 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (StartupException exception)
        {
            await error.WriteLineAsync($"nfsd top: {exception.Message}");
            return exception.ExitCode;
        }
    }

    private static void Watch(ControlClient client, IAnsiConsole console, CancellationTokenSource quit, out bool hasEnded)
    {
        bool ended = false;
        console.Live(Text.Empty).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom).Start(screen =>
        {
            Task<StateDocument?> next = client.ReadAsync(quit.Token);
            while (true)
            {
                while (!next.Wait(TimeSpan.FromMilliseconds(100)))
                {
                    if (!Console.IsInputRedirected && Console.KeyAvailable && Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q')
                        return;
                }

                if (next.Result is not { } document)
                {
                    ended = true;
                    return;
                }

                IRenderable shown = StateScreen.Of(document, RowsOf(console), includeEmpty: false);
                screen.UpdateTarget(shown);
                next = client.ReadAsync(quit.Token);
            }
        });
        hasEnded = ended;
    }

    // Several tables share the screen.
    private static int RowsOf(IAnsiConsole console) => Math.Max(4, console.Profile.Height / 5);

    private static IAnsiConsole ConsoleFor(TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (Console.IsOutputRedirected || output != Console.Out)
            console.Profile.Width = 200;
        return console;
    }
}
