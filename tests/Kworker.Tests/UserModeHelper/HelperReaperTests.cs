using System.Collections.Concurrent;

namespace Kworker.Tests.UserModeHelpers;

[Collection(HelperTestsDefinition.Name)]
public sealed class HelperReaperTests(HelperPrograms programs)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void Loses_no_helper_for_which_there_is_no_pidfd_at_first_or_ever(int failures)
    {
        int descriptors = HelperProcesses.KernelObjects;
        HelperReaper reaper = HelperReaper.TryCreate(out _, pid => Interlocked.Decrement(ref failures) >= 0 ? -1 : HelperLibC.PidFdOpen(pid))!;
        var thread = new Thread(reaper.Run);
        thread.Start();

        var statuses = new BlockingCollection<int>();
        string gate = programs.AddFifo();
        for (int i = 0; i < 20; i++)
            Start(reaper, statuses, programs.Gate, "gate", gate, "9");
        using (HelperPrograms.OpenGate(gate))
        {
            for (int i = 0; i < 20; i++)
                Assert.Equal(9 << 8, statuses.Take());
        }
        reaper.Stop();
        thread.Join();
        Assert.Empty(HelperProcesses.Zombies());
        Assert.InRange(HelperProcesses.KernelObjects, 0, descriptors);
    }

    [Fact]
    public void Serves_the_pipes_of_a_helper_for_which_there_is_no_pidfd()
    {
        int pipesBefore = HelperProcesses.Pipes;
        HelperReaper reaper = HelperReaper.TryCreate(out _, static _ => -1)!;
        var thread = new Thread(reaper.Run);
        thread.Start();

        byte[] input = new byte[300_000];
        Random.Shared.NextBytes(input);
        var output = new HelperCapture(input.Length);
        var program = new HelperProgram("/bin/cat", ["cat"], []) { Input = input, Output = output };
        var statuses = new BlockingCollection<int>();
        Assert.True(reaper.TryReserve());
        Assert.True(HelperSpawn.Spawn(program, out int pid, out HelperPipes? pipes).IsSuccess);
        reaper.Register(pid, statuses.Add, pipes);
        Assert.Equal(0, statuses.Take());
        Assert.Equal(input, output.Output.Bytes);
        reaper.Stop();
        thread.Join();
        Assert.InRange(HelperProcesses.Pipes, 0, pipesBefore);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Takes_over_from_a_caller_whose_helper_takes_long(bool withoutPidFd)
    {
        int descriptors = HelperProcesses.KernelObjects;
        HelperReaper reaper = HelperReaper.TryCreate(out _, pid => withoutPidFd ? -1 : HelperLibC.PidFdOpen(pid))!;
        var thread = new Thread(reaper.Run);
        thread.Start();
        var statuses = new BlockingCollection<int>();
        string gate = programs.AddFifo();
        Assert.False(reaper.WaitOrRegister(Spawn(reaper, programs.Gate, "gate", gate, "9"), 1, statuses.Add, out _));
        Assert.Equal(1, reaper.Count);
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(9 << 8, statuses.Take());

        // One that is over in time is its caller's.
        if (!withoutPidFd)
        {
            Assert.True(reaper.WaitOrRegister(Spawn(reaper, programs.Probe, "probe", "exit", "4"), int.MaxValue, statuses.Add, out int status));
            Assert.Equal(4 << 8, status);
        }
        Assert.Equal(0, reaper.Count);
        reaper.Stop();
        thread.Join();
        Assert.Empty(statuses);
        Assert.InRange(HelperProcesses.KernelObjects, 0, descriptors);
    }

    [Fact]
    public void Takes_no_helper_after_it_was_stopped()
    {
        HelperReaper reaper = HelperReaper.TryCreate(out _)!;
        reaper.Stop();
        Assert.False(reaper.TryReserve());
        reaper.Run(); // returns: there is nothing to wait for
    }

    [Fact]
    public void Waits_for_a_spawn_that_was_under_way_when_it_was_stopped()
    {
        HelperReaper reaper = HelperReaper.TryCreate(out _)!;
        var thread = new Thread(reaper.Run);
        thread.Start();
        Assert.True(reaper.TryReserve());
        reaper.Stop();
        Assert.False(reaper.TryReserve());

        var statuses = new BlockingCollection<int>();
        using (var arguments = new HelperArguments(programs.Probe, ["probe", "exit", "3"], []))
        {
            Assert.Equal(0, HelperSpawn.Spawn(arguments, out int pid));
            reaper.Register(pid, statuses.Add);
        }
        Assert.Equal(3 << 8, statuses.Take());
        thread.Join();
    }

    [Fact]
    public void Learns_from_the_pidfd_what_somebody_else_reaped_or_says_that_it_is_lost()
    {
        using var arguments = new HelperArguments(programs.Probe, ["probe", "exit", "11"], []);
        Assert.Equal(0, HelperSpawn.Spawn(arguments, out int pid));
        int pidFd = HelperLibC.PidFdOpen(pid);
        try
        {
            // The thief: waits for the child and takes its status.
            while (!HelperChildStatus.TryReap(pid, -1, out _))
                Thread.Yield();

            Assert.True(HelperChildStatus.TryReap(pid, pidFd, out int status));
            Assert.Equal(Environment.OSVersion.Version >= new Version(6, 15) ? 11 << 8 : -Errno.ECHILD, status);
            Assert.True(HelperChildStatus.TryReap(pid, -1, out status));
            Assert.Equal(-Errno.ECHILD, status);
        }
        finally
        {
            Assert.Equal(0, HelperLibC.Close(pidFd));
        }
    }

    [Fact]
    public void Closes_all_descriptors_in_the_child_where_the_C_library_cannot_do_it_at_once()
    {
        int inheritable = NativeCalls.Duplicate(2);
        HelperReaper reaper = HelperReaper.TryCreate(out _)!;
        var thread = new Thread(reaper.Run);
        thread.Start();
        Assert.True(reaper.TryReserve());
        var statuses = new BlockingCollection<int>();
        using (var arguments = new HelperArguments(programs.Probe, ["probe", "fds"], []))
        {
            Assert.Equal(0, HelperSpawn.SpawnListingDescriptors(arguments, out int pid));
            reaper.Register(pid, statuses.Add);
        }
        Assert.Equal(0, statuses.Take());
        reaper.Stop();
        thread.Join();
        Assert.Equal(0, HelperLibC.Close(inheritable));
    }

    private static void Start(HelperReaper reaper, BlockingCollection<int> statuses, params string[] argv) =>
        reaper.Register(Spawn(reaper, argv), statuses.Add);

    private static int Spawn(HelperReaper reaper, params string[] argv)
    {
        Assert.True(reaper.TryReserve());
        using var arguments = new HelperArguments(argv[0], argv[1..], []);
        Assert.Equal(0, HelperSpawn.Spawn(arguments, out int pid));
        return pid;
    }
}
