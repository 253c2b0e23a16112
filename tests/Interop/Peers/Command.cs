using System.Diagnostics;

namespace Kworker.Interop.Peers;

/// <summary>A command run to its end: what it said and how it ended.</summary>
internal sealed record Command(string Line, int ExitCode, string Output, string Error)
{
    /// <summary>Longer than any of them takes, on a busy machine too: a command that is not over by then hangs.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(10);

    /// <summary>Runs <paramref name="path"/> and waits for its end, whatever its exit status.</summary>
    /// <exception cref="TimeoutException">It was not over after <paramref name="limit"/> (<see cref="Limit"/>), and was killed.</exception>
    public static Command Run(
        string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? directory = null, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory ?? "/",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var line = $"{path} {string.Join(' ', start.ArgumentList)}";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit ?? Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{line}: not over after {limit ?? Limit}; it said: {output.Result}{error.Result}");
        }

        return new Command(line, process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>Itself, if it ended with 0; a failed assertion with all that it said otherwise.</summary>
    public Command Succeeds()
    {
        Assert.True(ExitCode == 0, $"{Line}\nended with {ExitCode}:\n{Output}{Error}");
        return this;
    }
}
