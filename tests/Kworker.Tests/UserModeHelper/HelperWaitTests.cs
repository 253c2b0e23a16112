using System.Collections.Concurrent;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>Callers that wait no longer, or never did: what they are told, and that the helper runs on and is cleaned up after once.</summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class HelperWaitTests : HelperTests
{
    private readonly ConcurrentQueue<string> _log;

    public HelperWaitTests(HelperPrograms programs)
        : this(programs, new ConcurrentQueue<string>())
    {
    }

    private HelperWaitTests(HelperPrograms programs, ConcurrentQueue<string> log)
        : base(programs, new KworkerSystemOptions { Log = log.Enqueue }) => _log = log;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_ends_a_killable_wait_and_the_helper_runs_on_until_its_cleanup(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        var calls = new Callbacks();
        Kthread caller = RunCaller(calls.Setup(Programs.Gate, gate, "0"), HelperWait.Killable, asynchronous);
        await calls.InitAsync();
        caller.Kill();
        Assert.Equal(-Errno.ERESTARTSYS, await caller.StopAsync());
        Assert.Equal(0, calls.Cleanups);

        using (HelperPrograms.OpenGate(gate))
            await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [InlineData(HelperWait.Killable, false, false)]
    [InlineData(HelperWait.Killable, false, true)]
    [InlineData(HelperWait.WaitProc, true, false)]
    [InlineData(HelperWait.WaitProc, true, true)]
    public async Task A_signal_that_the_wait_does_not_admit_changes_nothing(HelperWait wait, bool fatal, bool asynchronous)
    {
        string gate = Programs.AddFifo();
        var calls = new Callbacks();
        Kthread caller = RunCaller(calls.Setup(Programs.Gate, gate, "4"), wait, asynchronous);
        await calls.InitAsync();
        if (fatal)
            caller.Kill();
        else
            caller.Signal();
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(4 << 8, await caller.StopAsync());
        await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [InlineData(HelperWait.WaitProc, false)]
    [InlineData(HelperWait.WaitProc, true)]
    [InlineData(HelperWait.Killable, false)]
    [InlineData(HelperWait.Killable, true)]
    public async Task A_cancelled_token_ends_the_wait_and_the_helper_runs_on_until_its_cleanup(HelperWait wait, bool asynchronous)
    {
        string gate = Programs.AddFifo();
        var calls = new Callbacks();
        using var source = new CancellationTokenSource();
        UserModeHelperCall call = calls.Setup(Programs.Gate, gate, "0");
        Kthread caller = Kthread.Run(
            async call =>
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Exec(call, wait, asynchronous, source.Token));
                return 77;
            },
            call,
            "caller");
        await calls.InitAsync();
        await source.CancelAsync();
        Assert.Equal(77, await caller.StopAsync());
        Assert.Equal(0, calls.Cleanups);

        using (HelperPrograms.OpenGate(gate))
            await calls.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [MemberData(nameof(UserModeHelperTests.Modes), MemberType = typeof(UserModeHelperTests))]
    public async Task A_token_cancelled_before_runs_nothing_but_cleanup(HelperWait wait, bool asynchronous)
    {
        var calls = new Callbacks();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Exec(calls.Setup(Programs.Probe, "exit", "0"), wait, asynchronous, new CancellationToken(canceled: true)));
        await calls.ExpectAsync(inits: 0, cleanups: 1);
    }

    [Theory]
    [InlineData(HelperWait.NoWait)]
    [InlineData(HelperWait.WaitExec)]
    public async Task The_program_runs_on_after_those_who_do_not_wait_for_its_end(HelperWait wait)
    {
        string gate = Programs.AddFifo();
        var calls = new Callbacks();
        Assert.Equal(0, calls.Setup(Programs.Gate, gate, "0").Exec(wait).Raw);

        // Cleanup does not wait for its end either.
        await calls.ExpectAsync(inits: 1, cleanups: 1);
        Assert.Equal(1, System.Helpers.Running);
        HelperPrograms.OpenGate(gate).Dispose();
    }

    [Fact]
    public async Task What_the_callbacks_of_a_helper_throw_that_nobody_waits_for_goes_to_the_queue()
    {
        var reported = new ConcurrentQueue<string>();
        using var both = new CountdownEvent(2);
        Workqueue.SystemUnbound.UnhandledException += (_, e) =>
        {
            reported.Enqueue(e.Exception.Message);
            both.Signal();
        };
        var calls = new Callbacks { InitThrows = new TimeZoneNotFoundException("from init") };
        calls.Setup(Programs.Probe, "exit", "0").Exec(HelperWait.NoWait);
        await calls.ExpectAsync(inits: 1, cleanups: 1);

        UserModeHelper.Setup(Programs.Probe, ["probe"], [], null, static () => throw new TimeZoneNotFoundException("from cleanup")).Exec(HelperWait.NoWait);
        both.Wait();
        Assert.Equal(["from cleanup", "from init"], reported.Order());
    }

    [Fact]
    public async Task A_token_cancelled_as_the_program_ends_gives_its_status_or_throws_and_cleans_up_once_in_either_case()
    {
        int statuses = 0;
        for (int i = 0; i < 200; i++)
        {
            var calls = new Callbacks();
            using var source = new CancellationTokenSource();
            UserModeHelperCall call = calls.Setup(Programs.Probe, "exit", "8");
            bool asynchronous = i % 2 == 1;
            var canceller = new Thread(() =>
            {
                calls.InitAsync().AsTask().Wait();
                Thread.SpinWait(i * 1000);
                source.Cancel();
            });
            canceller.Start();
            try
            {
                Assert.Equal(8, (await Exec(call, HelperWait.WaitProc, asynchronous, source.Token)).ExitCode);
                statuses++;
            }
            catch (OperationCanceledException)
            {
                // the other of the two
            }
            canceller.Join();
            await calls.ExpectAsync(inits: 1, cleanups: 1);
        }
        Assert.InRange(statuses, 0, 200);
    }

    [Fact]
    public async Task A_helper_counts_as_running_while_its_caller_waits_for_it_itself()
    {
        string gate = Programs.AddFifo();
        Kthread caller = RunCaller(new Callbacks().Setup(Programs.Gate, gate, "4"), HelperWait.WaitProc, asynchronous: false);
        while (System.Helpers.Running == 0)
            Thread.Yield();
        int pid = Assert.Single(((LinuxHelperLauncher)System.Helpers.Launcher).ProcessIds);
        Assert.NotEqual(' ', HelperProcesses.State(pid));
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(4 << 8, await caller.StopAsync());
        Assert.Equal(0, System.Helpers.Running);
    }

    [Fact]
    public async Task A_thousand_callers_wait_at_once()
    {
        const int Callers = 1000;
        string gate = Programs.AddFifo();
        var calls = new Task<HelperStatus>[Callers];
        for (int i = 0; i < Callers; i++)
            calls[i] = UserModeHelper.CallAsync(Programs.Gate, ["gate", gate, $"{i % 100}"], [], HelperWait.WaitProc).AsTask();
        await Workqueue.SystemUnbound.FlushAsync();
        Assert.Equal(Callers, System.Helpers.Running);

        using (HelperPrograms.OpenGate(gate))
        {
            for (int i = 0; i < Callers; i++)
                Assert.Equal(i % 100, (await calls[i]).ExitCode);
        }
    }

    [Fact]
    public async Task A_disposed_system_waits_for_callers_leaves_other_helpers_alone_and_takes_no_more()
    {
        string waited = Programs.AddFifo();
        string left = Programs.AddFifo();
        var calls = new Callbacks();
        Assert.Equal(0, UserModeHelper.Call(Programs.Gate, ["gate", left, "0"], [], HelperWait.WaitExec).Raw);
        Task<HelperStatus> caller = calls.Setup(Programs.Gate, waited, "6").ExecAsync(HelperWait.WaitProc).AsTask();

        Task disposal = System.DisposeAsync().AsTask();
        Assert.False(disposal.IsCompleted);
        Assert.Equal(HelperOutcome.Disabled, UserModeHelper.Call(Programs.Probe, ["probe", "exit", "0"], [], HelperWait.WaitProc).Outcome);
        using (HelperPrograms.OpenGate(waited))
            Assert.Equal(6, (await caller).ExitCode);
        await calls.ExpectAsync(inits: 1, cleanups: 1);
        await disposal;

        Assert.Equal(1, System.Helpers.Running);
        HelperPrograms.OpenGate(left).Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_helper_that_ends_after_its_system_is_still_cleaned_up_after(bool cleanupThrows)
    {
        string gate = Programs.AddFifo();
        var calls = new Callbacks { CleanupThrows = cleanupThrows ? new TimeZoneNotFoundException("from cleanup") : null };
        Kthread caller = RunCaller(calls.Setup(Programs.Gate, gate, "0"), HelperWait.Killable, asynchronous: false);
        await calls.InitAsync();
        caller.Kill();
        Assert.Equal(-Errno.ERESTARTSYS, await caller.StopAsync());
        await System.DisposeAsync();

        using (HelperPrograms.OpenGate(gate))
            await calls.ExpectAsync(inits: 1, cleanups: 1);
        ((LinuxHelperLauncher)System.Helpers.Launcher).Join();
        if (cleanupThrows)
            Assert.Contains("from cleanup", Assert.Single(_log), StringComparison.Ordinal);
        else
            Assert.Empty(_log);
    }

    private static Kthread RunCaller(UserModeHelperCall call, HelperWait wait, bool asynchronous) =>
        asynchronous
            ? Kthread.Run(async call => (await call.ExecAsync(wait)).Raw, call, "caller")
            : Kthread.Run(call => call.Exec(wait).Raw, call, "caller");

    private static ValueTask<HelperStatus> Exec(UserModeHelperCall call, HelperWait wait, bool asynchronous, CancellationToken token) =>
        asynchronous ? call.ExecAsync(wait, token) : new(call.Exec(wait, token));
}
