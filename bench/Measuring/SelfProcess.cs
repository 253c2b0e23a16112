using System.Diagnostics;

namespace Kworker.Bench.Measuring;

/// <summary>Other processes: for what must be measured in a fresh one, this program runs itself.</summary>
internal static class SelfProcess
{
    /// <summary>Runs this program with other arguments to its end; what it wrote to its standard output.</summary>
    internal static string Run(params string[] arguments) => Capture(Environment.ProcessPath!, arguments);

    /// <summary>The same, but no longer than a while: then it is killed, and nothing is returned.</summary>
    internal static string Run(TimeSpan limit, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            process.WaitForExit();
            return "";
        }

        return Output(process, process.StandardOutput.ReadToEnd());
    }

    /// <summary>Runs a program to its end; what it wrote to its standard output. Its errors go to ours.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    internal static string Capture(string program, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Output(process, output);
    }

    private static string Output(Process process, string output) => process.ExitCode == 0
        ? output
        : throw new InvalidOperationException($"{process.StartInfo.FileName} ended with {process.ExitCode}: {output}");
}
