using System.Diagnostics;
using BenchmarkDotNet.Attributes;

namespace Kworker.Bench;

/// <summary>Run a program that does nothing, and have its exit status.</summary>
[ShortRunJob, MemoryDiagnoser]
public class HelperBenchmark
{
    private const string Program = "/bin/true";
    private static readonly string[] s_arguments = [Program];
    private static readonly string[] s_environment = ["HOME=/"];

    [Benchmark(Baseline = true)]
    public int ProcessStart()
    {
        using Process process = Process.Start(new ProcessStartInfo(Program))!;
        process.WaitForExit();
        return process.ExitCode;
    }

    [Benchmark]
    public async Task<int> ProcessStartAsync()
    {
        using Process process = Process.Start(new ProcessStartInfo(Program))!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    [Benchmark]
    public int UserModeHelperCall() => UserModeHelper.Call(Program, s_arguments, s_environment, HelperWait.WaitProc).Raw;

    [Benchmark]
    public async Task<int> UserModeHelperCallAsync() => (await UserModeHelper.CallAsync(Program, s_arguments, s_environment, HelperWait.WaitProc)).Raw;
}
