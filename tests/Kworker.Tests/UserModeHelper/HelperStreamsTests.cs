using System.Text;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>Standard input and captured outputs, with programs that behave and programs that do not.</summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class HelperStreamsTests : HelperTests
{
    /// <summary>More than any pipe holds.</summary>
    private const int Much = 2_000_000;

    private readonly int _pipes = HelperProcesses.Pipes;

    public HelperStreamsTests(HelperPrograms programs)
        : base(programs)
    {
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Assert.InRange(HelperProcesses.Pipes, 0, _pipes);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_output_comes_back_by_itself(bool asynchronous)
    {
        UserModeHelperCall call = Shell("printf 'to the one: \\303\\244'; printf other >&2; exit 3", new() { StandardOutputLimit = 100, StandardErrorLimit = 100 });
        Assert.Equal(3, (await Exec(call, asynchronous)).ExitCode);
        Assert.Equal("to the one: ä", call.StandardOutput.ToString());
        Assert.Equal("other", call.StandardError.ToString());
        Assert.Equal(5, call.StandardError.TotalLength);
        Assert.False(call.StandardError.IsTruncated);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(65_536, false)]
    [InlineData(65_537, true)]
    [InlineData(Much, false)]
    [InlineData(Much, true)]
    public async Task The_program_reads_all_of_its_input_and_then_the_end_of_it(int size, bool asynchronous)
    {
        byte[] input = new byte[size];
        Random.Shared.NextBytes(input);
        UserModeHelperCall call = UserModeHelper.Setup(
            "/bin/cat", ["cat"], [], new HelperOptions { StandardInput = input, StandardOutputLimit = Much });
        Assert.True((await Exec(call, asynchronous)).IsSuccess);
        Assert.Equal(input, call.StandardOutput.Bytes);
        Assert.False(call.StandardOutput.IsTruncated);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(Much - 1)]
    [InlineData(Much)]
    public async Task What_is_beyond_the_limit_is_counted_and_holds_up_nobody(int limit)
    {
        UserModeHelperCall call = UserModeHelper.Setup(
            "/usr/bin/head", ["head", "-c", $"{Much}", "/dev/zero"], [], new HelperOptions { StandardOutputLimit = limit });
        Assert.True((await call.ExecAsync(HelperWait.WaitProc)).IsSuccess);
        Assert.Equal(limit, call.StandardOutput.Bytes.Length);
        Assert.Equal(Much, call.StandardOutput.TotalLength);
        Assert.Equal(limit < Much, call.StandardOutput.IsTruncated);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 0, 1)]
    [InlineData(0, 1, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(1, 1, 1)]
    public async Task The_program_has_the_streams_that_were_asked_for_and_no_other_descriptor(int input, int output, int error)
    {
        int inheritable = NativeCalls.Duplicate(2);
        UserModeHelperCall call = UserModeHelper.Setup(
            Programs.Probe,
            ["probe", "fds"],
            [],
            new HelperOptions
            {
                StandardInput = input == 1 ? new byte[10] : default(ReadOnlyMemory<byte>?),
                StandardOutputLimit = output,
                StandardErrorLimit = error,
                WorkingDirectory = "/",
            });
        Assert.Equal(input + output + error, (await call.ExecAsync(HelperWait.WaitProc)).ExitCode);
        Assert.Equal(0, HelperLibC.Close(inheritable));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_may_leave_its_input_unread(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        UserModeHelperCall call = Shell($": < {gate}; exit 7", new() { StandardInput = new byte[Much] });
        Kthread caller = Kthread.Run(async call => (await Exec(call, asynchronous)).Raw, call, "caller");
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(7 << 8, await caller.StopAsync());
    }

    [Fact]
    public async Task A_program_may_close_its_streams_and_run_on()
    {
        string gate = Programs.AddFifo();
        UserModeHelperCall call = Shell(
            $"echo before; exec 0<&- 1>&- 2>&-; : < {gate}; exit 8",
            new() { StandardInput = new byte[Much], StandardOutputLimit = 100, StandardErrorLimit = 100 });
        Task<HelperStatus> status = call.ExecAsync(HelperWait.WaitProc).AsTask();
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(8, (await status).ExitCode);
        Assert.Equal("before\n", call.StandardOutput.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_process_that_is_left_behind_with_the_pipes_is_not_waited_for(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        UserModeHelperCall call = Shell(
            $"(: < {gate}; echo late) & echo early; exit 5",
            new() { StandardInput = new byte[Much], StandardOutputLimit = 100, StandardErrorLimit = 100 });
        Assert.Equal(5, (await Exec(call, asynchronous)).ExitCode);
        Assert.Equal("early\n", call.StandardOutput.ToString());
        Assert.InRange(HelperProcesses.Pipes, 0, _pipes);
    }

    [Fact]
    public async Task A_process_that_is_left_behind_and_writes_without_end_is_not_waited_for()
    {
        // It ends by itself: its pipe breaks.
        UserModeHelperCall call = Shell("yes & echo early >&2", new() { StandardOutputLimit = 100, StandardErrorLimit = 100 });
        Assert.True((await call.ExecAsync(HelperWait.WaitProc)).IsSuccess);
        Assert.Equal("early\n", call.StandardError.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_was_killed_leaves_what_it_wrote_before(bool asynchronous)
    {
        UserModeHelperCall call = Shell(
            "head -c 200000 /dev/zero; kill -9 $$", new() { StandardInput = new byte[Much], StandardOutputLimit = Much });
        Assert.Equal(9, (await Exec(call, asynchronous)).TermSignal);
        Assert.Equal(200_000, call.StandardOutput.Bytes.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Output_without_end_holds_up_no_other_helper_and_goes_on_when_its_caller_is_killed(bool asynchronous)
    {
        var started = new Completion();
        UserModeHelperCall endless = UserModeHelper.Setup(
            "/usr/bin/yes",
            ["yes"],
            [],
            new HelperOptions { Init = () => { started.Complete(); return 0; }, StandardOutputLimit = 10, StandardErrorLimit = 10 });
        Kthread caller = asynchronous
            ? Kthread.Run(async call => (await call.ExecAsync(HelperWait.Killable)).Raw, endless, "caller")
            : Kthread.Run(call => call.Exec(HelperWait.Killable).Raw, endless, "caller");
        await started.WaitAsync();

        await CatAsync();
        caller.Kill();
        Assert.Equal(-Errno.ERESTARTSYS, await caller.StopAsync());
        Assert.Equal(0, endless.StandardOutput.TotalLength);
        await CatAsync();

        int pid = Assert.Single(((LinuxHelperLauncher)System.Helpers.Launcher).ProcessIds);
        Assert.Equal(0, NativeCalls.Kill(pid, 9));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_ends_the_wait_and_not_the_helper(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        string answer = Programs.In($"answer-{asynchronous}");
        var started = new Completion();
        var cleaned = new Completion();
        UserModeHelperCall call = Shell(
            $": < {gate}; wc -c > {answer}; head -c 200000 /dev/zero && echo whole >> {answer}",
            new()
            {
                Init = () => { started.Complete(); return 0; },
                Cleanup = cleaned.Complete,
                StandardInput = new byte[Much],
                StandardOutputLimit = Much,
            });
        using var source = new CancellationTokenSource();
        Kthread caller = Kthread.Run(
            async call =>
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Exec(call, asynchronous, source.Token));
                return 0;
            },
            call,
            "caller");
        await started.WaitAsync();
        await source.CancelAsync();
        await caller.StopAsync();
        using (HelperPrograms.OpenGate(gate))
            await cleaned.WaitAsync();

        // It was given all of its input, and could write as much as it liked, with nobody there to take it.
        Assert.Equal($"{Much}\nwhole\n", await File.ReadAllTextAsync(answer, TestContext.Current.CancellationToken));
        Assert.Equal(0, call.StandardOutput.TotalLength);
    }

    [Theory]
    [InlineData(HelperWait.NoWait)]
    [InlineData(HelperWait.WaitExec)]
    public async Task A_program_that_nobody_waits_for_may_have_an_input_but_no_captured_output(HelperWait wait)
    {
        UserModeHelperCall captured = Shell("echo", new() { StandardOutputLimit = 1 });
        Assert.Throws<InvalidOperationException>(() => captured.Exec(wait));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await captured.ExecAsync(wait));
        Assert.True(captured.Exec(HelperWait.WaitProc).IsSuccess); // it was refused, not used up

        string answer = Programs.AddFifo();
        UserModeHelperCall fed = Shell($"wc -c > {answer}", new() { StandardInput = new byte[Much] });
        Assert.Equal(0, fed.Exec(wait).Raw);
        Assert.Equal($"{Much}\n", await File.ReadAllTextAsync(answer, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Many_helpers_with_pipes_take_no_thread_each()
    {
        const int Helpers = 200;
        await CatAsync();
        int threads = HelperProcesses.Threads;
        string gate = Programs.AddFifo();
        UserModeHelperCall[] calls =
        [
            .. Enumerable.Range(0, Helpers).Select(i => Shell(
                $": < {gate}; cat; echo {i} >&2", new() { StandardInput = new byte[100_000], StandardOutputLimit = 100_000, StandardErrorLimit = 10 })),
        ];
        Task<HelperStatus>[] statuses = [.. calls.Select(static call => call.ExecAsync(HelperWait.WaitProc).AsTask())];
        Assert.Equal(Helpers, System.Helpers.Running);
        Assert.InRange(HelperProcesses.Threads, 1, threads + 8);
        using (HelperPrograms.OpenGate(gate))
            await Task.WhenAll(statuses);
        for (int i = 0; i < Helpers; i++)
        {
            Assert.True((await statuses[i]).IsSuccess);
            Assert.Equal(100_000, calls[i].StandardOutput.TotalLength);
            Assert.Equal($"{i}\n", calls[i].StandardError.ToString());
        }
    }

    [Fact]
    public async Task A_process_without_standard_input_of_its_own_gives_its_helpers_theirs()
    {
        int saved = NativeCalls.Duplicate(0);
        Assert.Equal(0, HelperLibC.Close(0));
        try
        {
            await CatAsync();
        }
        finally
        {
            Assert.Equal(0, NativeCalls.Duplicate(saved, 0));
            Assert.Equal(0, HelperLibC.Close(saved));
        }
    }

    [Fact]
    public async Task Where_there_are_no_descriptors_left_that_is_what_the_caller_is_told()
    {
        const int OpenFiles = 7;
        await CatAsync();
        var limit = default(NativeCalls.Limit);
        Assert.Equal(0, NativeCalls.GetLimit(OpenFiles, ref limit));
        NativeCalls.Limit lower = limit;
        UserModeHelperCall call = Shell("exit 0", new() { StandardInput = new byte[Much], StandardOutputLimit = 1 });
        HelperStatus status;

        // The lowest free number, and not the next: room for one pipe, and none for the other.
        int free = NativeCalls.Duplicate(2);
        Assert.Equal(0, HelperLibC.Close(free));
        lower.Current = (nuint)free + 1;
        Assert.Equal(0, NativeCalls.SetLimit(OpenFiles, lower));
        try
        {
            status = call.Exec(HelperWait.WaitProc);
        }
        finally
        {
            Assert.Equal(0, NativeCalls.SetLimit(OpenFiles, limit));
        }
        Assert.Equal(HelperStatus.SetupFailed("pipe2", 24), status); // EMFILE
        Assert.StartsWith("could not be set up: pipe2: ", status.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, call.StandardOutput.TotalLength);
        await CatAsync();
    }

    [Fact]
    public void A_limit_is_no_negative_number()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HelperOptions { StandardOutputLimit = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HelperOptions { StandardErrorLimit = -1 });
    }

    private static async Task CatAsync()
    {
        byte[] input = Encoding.UTF8.GetBytes(new string('x', 100_000));
        UserModeHelperCall call = UserModeHelper.Setup(
            "/bin/cat", ["cat"], [], new HelperOptions { StandardInput = input, StandardOutputLimit = input.Length });
        Assert.True((await call.ExecAsync(HelperWait.WaitProc)).IsSuccess);
        Assert.Equal(input, call.StandardOutput.Bytes);
    }

    private static UserModeHelperCall Shell(string script, HelperOptions options) =>
        UserModeHelper.Setup("/bin/sh", ["sh", "-c", script], ["PATH=/usr/bin:/bin"], options);

    private static async ValueTask<HelperStatus> Exec(UserModeHelperCall call, bool asynchronous, CancellationToken token = default) =>
        asynchronous ? await call.ExecAsync(HelperWait.WaitProc, token) : call.Exec(HelperWait.WaitProc, token);
}
