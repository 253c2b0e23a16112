namespace Kworker.Tests.UserModeHelpers;

/// <summary>What a program is given, and what its caller is told: on the thread that calls, and asynchronously.</summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class UserModeHelperTests(HelperPrograms programs) : HelperTests(programs)
{
    private static readonly HelperWait[] s_waiting = [HelperWait.WaitExec, HelperWait.WaitProc, HelperWait.Killable];

    public static TheoryData<HelperWait, bool> Modes()
    {
        var data = new TheoryData<HelperWait, bool>();
        foreach (HelperWait wait in Enum.GetValues<HelperWait>())
        {
            data.Add(wait, false);
            data.Add(wait, true);
        }
        return data;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(127)]
    [InlineData(255)]
    public async Task Exit_codes_come_back(int code)
    {
        foreach (HelperStatus status in await CallBoth(HelperWait.WaitProc, Programs.Probe, "exit", $"{code}"))
        {
            Assert.Equal(code << 8, status.Raw);
            Assert.True(status.Exited);
            Assert.Equal(code, status.ExitCode);
            Assert.Equal(code == 0, status.IsSuccess);
            Assert.Equal(0, status.Errno);
            Assert.Equal($"exited with {code}", status.ToString());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(13)]
    [InlineData(15)]
    public async Task Fatal_signals_come_back(int signal)
    {
        foreach (HelperStatus status in await CallBoth(HelperWait.Killable, Programs.Probe, "kill", $"{signal}"))
        {
            Assert.Equal(signal, status.Raw);
            Assert.Equal(HelperOutcome.Killed, status.Outcome);
            Assert.Equal(signal, status.TermSignal);
            Assert.False(status.Exited);
            Assert.Equal($"was killed by signal {signal}", status.ToString());
            Assert.Throws<InvalidOperationException>(() => status.ExitCode);
        }
    }

    [Fact]
    public async Task Errors_of_the_exec_come_back_to_all_who_wait()
    {
        (string Path, int Errno)[] failing =
        [
            ("/nowhere/program", Errno.ENOENT),
            (Programs.NotExecutable, Errno.EACCES),
            ("/etc", Errno.EACCES),
            (Programs.Garbage, Errno.ENOEXEC),
            (Programs.Empty, Errno.ENOEXEC),
            (Programs.BadInterpreter, Errno.ENOENT),
            (Programs.NotExecutable + "/x", Errno.ENOTDIR),
        ];
        foreach ((string path, int errno) in failing)
        {
            foreach (HelperWait wait in s_waiting)
            {
                foreach (HelperStatus status in await CallBoth(wait, path))
                {
                    Assert.Equal(-errno, status.Raw);
                    Assert.True(status.IsExecError);
                    Assert.Equal(errno, status.Errno);
                    Assert.StartsWith("could not be executed: ", status.ToString(), StringComparison.Ordinal);
                }
            }
            foreach (HelperStatus status in await CallBoth(HelperWait.NoWait, path))
                Assert.Equal(new HelperStatus(HelperOutcome.Queued, 0), status);
        }
    }

    [Fact]
    public async Task A_script_runs_by_its_interpreter()
    {
        foreach (HelperStatus status in await CallBoth(HelperWait.WaitProc, Programs.Script))
            Assert.Equal(6, status.ExitCode);
    }

    [Theory]
    [InlineData(5, "argc", "a", "b", "c")]
    [InlineData(0, "args", "a_b;$HOME", "", "*")]
    [InlineData(2, "env")]
    [InlineData(0, "cwd")]
    public async Task The_program_is_given_exactly_what_the_caller_gave(int answer, params string[] arguments)
    {
        foreach (HelperStatus status in await CallBoth(HelperWait.WaitProc, Programs.Probe, arguments))
            Assert.Equal(answer, status.ExitCode);
    }

    [Fact]
    public async Task The_program_inherits_no_descriptor_not_even_one_that_is_not_close_on_exec()
    {
        int inheritable = NativeCalls.Duplicate(2);
        try
        {
            foreach (HelperStatus status in await CallBoth(HelperWait.WaitProc, Programs.Probe, "fds"))
                Assert.Equal(0, status.ExitCode);
        }
        finally
        {
            Assert.Equal(0, HelperLibC.Close(inheritable));
        }
    }

    [Fact]
    public void The_program_ignores_and_blocks_no_signal_and_is_out_of_reach_of_our_terminal()
    {
        // glibc leaves the two signals ignored that it uses itself (32 and 33); its next start-up sets them as it needs them.
        const ulong OwnOfLibC = 3UL << 31;
        string answer = Programs.In("description");
        Assert.True(UserModeHelper.Call(Programs.Describe, ["describe", answer], HelperPrograms.Environment, HelperWait.WaitProc).IsSuccess);
        string[] lines = File.ReadAllLines(answer);
        Assert.Equal("SigBlk:\t0000000000000000", lines[0]);
        Assert.Equal(0UL, Convert.ToUInt64(lines[1]["SigIgn:\t".Length..], 16) & ~OwnOfLibC);
        string[] ids = lines[2].Split(' ');
        Assert.Equal(ids[0], ids[1]); // group
        Assert.Equal("0", ids[3]); // no terminal: if we have one, because of a session of its own
    }

    [Fact]
    public async Task A_relative_path_starts_at_the_root()
    {
        foreach (HelperStatus status in await CallBoth(HelperWait.WaitProc, Programs.Script.TrimStart('/')))
            Assert.Equal(6, status.ExitCode);
    }

    [Fact]
    public void Too_many_arguments_are_the_errno_of_the_exec()
    {
        Assert.Equal(-Errno.E2BIG, UserModeHelper.Call(Programs.Probe, ["probe", new('x', 1 << 20)], [], HelperWait.WaitProc).Raw);
    }

    [Fact]
    public void No_argument_at_all_is_refused_as_the_kernel_does()
    {
        Assert.Equal(-Errno.EINVAL, UserModeHelper.Call(Programs.Probe, [], [], HelperWait.WaitProc).Raw);
    }

    [Fact]
    public void Strings_that_would_arrive_changed_are_refused_by_name()
    {
        Assert.Equal("argv", Assert.Throws<ArgumentException>(() => UserModeHelper.Setup("/bin/true", ["a\0b"], [])).ParamName);
        Assert.Equal("envp", Assert.Throws<ArgumentException>(() => UserModeHelper.Setup("/bin/true", ["a"], ["X=\ud800"])).ParamName);
        Assert.Equal("path", Assert.Throws<ArgumentException>(() => UserModeHelper.Setup("/bin/\0", ["a"], [])).ParamName);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Init_and_cleanup_run_once_each_around_a_program_that_runs(HelperWait wait, bool asynchronous)
    {
        var calls = new Callbacks();
        HelperStatus status = await calls.Exec(Programs.Probe, wait, asynchronous, "exit", "0");
        Assert.Equal(0, status.Raw);
        Assert.Equal(
            wait switch
            {
                HelperWait.NoWait => HelperOutcome.Queued,
                HelperWait.WaitExec => HelperOutcome.Started,
                _ => HelperOutcome.Exited,
            },
            status.Outcome);
        await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Init_that_refuses_is_the_status_of_all_who_wait(HelperWait wait, bool asynchronous)
    {
        var calls = new Callbacks { InitResult = -Errno.EPERM };
        string touched = Programs.In("touched");
        HelperStatus status = await calls.Exec(Programs.Describe, wait, asynchronous, touched);
        Assert.Equal(wait == HelperWait.NoWait ? 0 : -Errno.EPERM, status.Raw);
        Assert.Equal(wait == HelperWait.NoWait ? HelperOutcome.Queued : HelperOutcome.InitRefused, status.Outcome);
        await calls.ExpectAsync(inits: 1, cleanups: 1);
        Assert.False(File.Exists(touched));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Cleanup_runs_after_a_failed_exec(HelperWait wait, bool asynchronous)
    {
        var calls = new Callbacks();
        HelperStatus status = await calls.Exec("/nowhere/program", wait, asynchronous);
        Assert.Equal(wait == HelperWait.NoWait ? 0 : -Errno.ENOENT, status.Raw);
        await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_empty_path_runs_nothing_but_cleanup(HelperWait wait, bool asynchronous)
    {
        var calls = new Callbacks();
        HelperStatus status = await calls.Exec("", wait, asynchronous);
        Assert.Equal(new HelperStatus(HelperOutcome.NothingToRun, 0), status);
        await calls.ExpectAsync(inits: 0, cleanups: 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_init_throws_reaches_who_waits_after_cleanup(bool asynchronous)
    {
        var calls = new Callbacks { InitThrows = new TimeZoneNotFoundException("from init") };
        var thrown = await Assert.ThrowsAsync<TimeZoneNotFoundException>(
            async () => await calls.Exec(Programs.Probe, HelperWait.WaitProc, asynchronous, "exit", "0"));
        Assert.Same(calls.InitThrows, thrown);
        await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Fact]
    public async Task A_call_can_be_executed_once()
    {
        UserModeHelperCall call = UserModeHelper.Setup(Programs.Probe, ["probe", "exit", "0"], []);
        Assert.Equal(0, call.Exec(HelperWait.WaitProc).Raw);
        Assert.Throws<InvalidOperationException>(() => call.Exec(HelperWait.WaitProc));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await call.ExecAsync(HelperWait.WaitProc));
    }

    private static async Task<HelperStatus[]> CallBoth(HelperWait wait, string path, params string[] arguments) =>
    [
        UserModeHelper.Call(path, [path, .. arguments], HelperPrograms.Environment, wait),
        await UserModeHelper.CallAsync(path, [path, .. arguments], HelperPrograms.Environment, wait),
    ];
}
