using System.Diagnostics;

namespace Kworker.Bench.Measuring;

/// <summary>A program in C that does the same as a scenario, compiled when the scenario runs: the limit that the system sets. Its source lies in <c>bench/Twins</c>.</summary>
internal sealed class CTwin : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-bench-");

    private CTwin()
    {
    }

    private string Executable => Path.Combine(_directory.FullName, "twin");

    /// <summary>Compiles a twin with <c>cc -O2 -pthread</c>.</summary>
    /// <param name="source">A file of <c>bench/Twins</c>.</param>
    /// <returns>Null, said on the console, where there is no compiler: the scenario then goes on without the twin.</returns>
    internal static CTwin? Compile(string source)
    {
        var twin = new CTwin();
        try
        {
            SelfProcess.Capture("cc", ["-O2", "-Wall", "-pthread", "-o", twin.Executable, Path.Combine(AppContext.BaseDirectory, "Twins", source)]);
            return twin;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            twin.Dispose();
            Console.WriteLine($"{source} is left out: no C compiler (cc: {e.Message}; Debian: apt-get install gcc libc6-dev).");
            Console.WriteLine();
            return null;
        }
    }

    /// <summary>Runs it to its end; what it wrote to its standard output.</summary>
    internal string Run(params string[] arguments) => SelfProcess.Capture(Executable, arguments);

    /// <summary>Starts it, for a conversation; the caller ends it.</summary>
    internal Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo(Executable, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true })!;

    public void Dispose() => _directory.Delete(recursive: true);
}
