using System.Diagnostics;

namespace Kworker.Bench.Measuring;

/// <summary>Other processes: for what must be measured in a fresh one, this program runs itself.</summary>
internal static class SelfProcess
{
    /// <summary>Runs this program with other arguments to its end; what it wrote to its standard output.</summary>
    internal static string Run(params string[] arguments) => Capture(Environment.ProcessPath!, arguments);

    /// <summary>Runs a program to its end; what it wrote to its standard output. Its errors go to ours.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    internal static string Capture(string program, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
    }
}
