using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests.UserModeHelpers;

[Collection(HelperTestsDefinition.Name)]
public sealed class HelperDisableTests(HelperPrograms programs) : HelperTests(programs, new() { TimeProvider = s_time })
{
    private static readonly FakeTimeProvider s_time = new();

    [Theory]
    [MemberData(nameof(UserModeHelperTests.Modes), MemberType = typeof(UserModeHelperTests))]
    public async Task Disabled_helpers_are_refused_at_once_and_cleaned_up_after(HelperWait wait, bool asynchronous)
    {
        Assert.Equal(0, asynchronous ? await UserModeHelper.DisableAsync() : UserModeHelper.Disable());
        var refused = new Callbacks();
        Assert.Equal(
            new HelperStatus(HelperOutcome.Disabled, -Errno.EBUSY), await refused.Exec(Programs.Probe, wait, asynchronous, "exit", "0"));
        await refused.ExpectAsync(inits: 0, cleanups: 1);

        UserModeHelper.Enable();
        var allowed = new Callbacks();
        Assert.Equal(0, (await allowed.Exec(Programs.Probe, wait, asynchronous, "exit", "0")).Raw);
        await allowed.ExpectAsync(inits: 1, cleanups: 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disabling_waits_for_the_callers_that_are_inside(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        Task<HelperStatus> caller = UserModeHelper.CallAsync(Programs.Gate, ["gate", gate, "0"], [], HelperWait.WaitProc).AsTask();
        Kthread disabler = RunDisabler(asynchronous);
        using (HelperPrograms.OpenGate(gate))
            Assert.Equal(0, await disabler.StopAsync());
        Assert.True((await caller).Exited);
        Assert.Equal(-Errno.EBUSY, UserModeHelper.Call(Programs.Probe, ["probe", "exit", "0"], [], HelperWait.WaitProc).Raw);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disabling_gives_up_after_five_seconds_and_enables_again(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        Task<HelperStatus> caller = UserModeHelper.CallAsync(Programs.Gate, ["gate", gate, "0"], [], HelperWait.WaitProc).AsTask();
        Kthread disabler = RunDisabler(asynchronous);
        s_time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(disabler.HasExited);
        Assert.Equal(-Errno.EBUSY, UserModeHelper.Call(Programs.Probe, ["probe", "exit", "0"], [], HelperWait.WaitProc).Raw);
        while (!disabler.HasExited)
        {
            s_time.Advance(TimeSpan.FromSeconds(0.2)); // it may have begun to count after the first step
            Thread.Yield();
        }
        Assert.Equal(-Errno.EAGAIN, await disabler.StopAsync());

        Assert.Equal(0, UserModeHelper.Call(Programs.Probe, ["probe", "exit", "0"], [], HelperWait.WaitProc).Raw);
        using (HelperPrograms.OpenGate(gate))
            Assert.True((await caller).Exited);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_disabling_enables_again(bool asynchronous)
    {
        string gate = Programs.AddFifo();
        Task<HelperStatus> caller = UserModeHelper.CallAsync(Programs.Gate, ["gate", gate, "0"], [], HelperWait.WaitProc).AsTask();
        using var source = new CancellationTokenSource();
        Kthread disabler = RunDisabler(asynchronous, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await disabler.StopAsync());

        Assert.Equal(0, UserModeHelper.Call(Programs.Probe, ["probe", "exit", "0"], [], HelperWait.WaitProc).Raw);
        using (HelperPrograms.OpenGate(gate))
            Assert.True((await caller).Exited);
    }

    [Fact]
    public void A_helper_of_one_system_is_not_disabled_with_those_of_another()
    {
        Assert.Equal(0, UserModeHelper.Disable());
        using var other = new KworkerSystem();
        var called = new Completion();
        Kthread caller = Kthread.Run(
            path =>
            {
                int status = UserModeHelper.Call(path, ["probe", "exit", "2"], [], HelperWait.WaitProc).Raw;
                called.Complete();
                return status;
            },
            Programs.Probe,
            "caller",
            other);
        called.Wait();
        Assert.Equal(2 << 8, caller.Stop());
    }

    /// <summary>Returns when it waits.</summary>
    private Kthread RunDisabler(bool asynchronous, CancellationToken token = default)
    {
        Kthread disabler = asynchronous
            ? Kthread.Run(static async token => await UserModeHelper.DisableAsync(token), token, "disabler")
            : Kthread.Run(static token => UserModeHelper.Disable(token), token, "disabler");
        while (!System.Helpers.IsWaitedFor)
            Thread.Yield();
        return disabler;
    }
}
