using System.Collections.Concurrent;
using System.Diagnostics;

namespace Kworker.Tests.UserModeHelpers;

[Collection(HelperTestsDefinition.Name)]
public sealed class LinuxHelperLauncherTests(HelperPrograms programs) : IDisposable
{
    private readonly LinuxHelperLauncher _launcher = new();

    public void Dispose()
    {
        _launcher.Stop();
        _launcher.Join();
    }

    [Theory]
    [InlineData("exit", "0", 0)]
    [InlineData("exit", "42", 42 << 8)]
    [InlineData("exit", "255", 255 << 8)]
    [InlineData("kill", "1", 1)]
    [InlineData("kill", "9", 9)]
    [InlineData("kill", "13", 13)] // the runtime ignores SIGPIPE: the helper must not
    [InlineData("kill", "15", 15)]
    public void Gives_the_wait_status_of_a_program(string how, string number, int status)
    {
        Assert.Equal(status, Run(programs.Probe, ["probe", how, number]));
    }

    [Fact]
    public void Keeps_a_thousand_helpers_in_flight_without_a_thread_each_and_leaves_nothing_behind()
    {
        Assert.Equal(0, Run(programs.Probe, ["probe", "exit", "0"]));
        int descriptors = HelperProcesses.KernelObjects;
        int threads = HelperProcesses.Threads;

        const int Helpers = 1000;
        string gate = programs.AddFifo();
        var statuses = new BlockingCollection<int>();
        for (int i = 0; i < Helpers; i++)
            Assert.Equal(0, Start(programs.Gate, ["gate", gate, "7"], [], statuses.Add));
        Assert.Equal(Helpers, _launcher.Count);
        Assert.InRange(HelperProcesses.Threads, 1, threads + 8);

        using (HelperPrograms.OpenGate(gate))
        {
            for (int i = 0; i < Helpers; i++)
                Assert.Equal(7 << 8, statuses.Take());
        }
        Assert.Equal(0, _launcher.Count);
        Assert.Empty(HelperProcesses.Zombies());
        Assert.InRange(HelperProcesses.KernelObjects, 0, descriptors);
    }

    [Fact]
    public void Gets_along_with_Process_in_the_same_program()
    {
        // The runtime's child handler is installed by the first of these, and runs at each child's end from then on.
        const int Rounds = 300;
        var failures = new ConcurrentQueue<string>();
        var processes = new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                using Process process = Process.Start(programs.Probe, ["exit", $"{i % 200}"]);
                process.WaitForExit();
                if (process.ExitCode != i % 200)
                    failures.Enqueue($"process {i} exited with {process.ExitCode}");
            }
        });
        processes.Start();
        var statuses = new BlockingCollection<(int Due, int Status)>();
        for (int i = 0; i < Rounds; i++)
        {
            int due = i % 200 << 8;
            Assert.Equal(0, Start(programs.Probe, ["probe", "exit", $"{i % 200}"], [], status => statuses.Add((due, status))));
        }
        for (int i = 0; i < Rounds; i++)
        {
            (int due, int status) = statuses.Take();
            Assert.Equal(due, status);
        }
        processes.Join();
        Assert.Empty(failures);
        Assert.Empty(HelperProcesses.Zombies());
    }

    [Fact]
    public void Ends_its_thread_only_after_the_last_helper_and_closes_what_it_opened()
    {
        int descriptors = HelperProcesses.KernelObjects;
        string gate = programs.AddFifo();
        var statuses = new BlockingCollection<int>();
        Assert.Equal(0, Start(programs.Gate, ["gate", gate, "7"], [], statuses.Add));

        _launcher.Stop();
        Assert.Equal(-Errno.EBUSY, Start(programs.Probe, ["probe", "exit", "0"], [], null));

        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(7 << 8, statuses.Take());
        _launcher.Join();
        Assert.InRange(HelperProcesses.KernelObjects, 0, descriptors);
    }

    private int Run(string path, IReadOnlyList<string> argv)
    {
        var ended = new BlockingCollection<int>();
        int error = _launcher.Start(new HelperProgram(path, argv, HelperPrograms.Environment), ended.Add).Raw;
        return error != 0 ? error : ended.Take();
    }

    private int Start(string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp, Action<int>? ended) =>
        _launcher.Start(new HelperProgram(path, argv, envp), ended).Raw;
}
