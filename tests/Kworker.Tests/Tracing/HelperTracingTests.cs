using System.Diagnostics.Tracing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class HelperTracingTests
{
    [Fact]
    public void A_helper_is_seen_executed_and_ended()
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere helpers are the platform's processes, and tell of themselves
        using var events = new EventRecorder(KworkerEventSource.Keywords.Helper);
        HelperStatus status = UserModeHelper.Call("/bin/sh", ["sh", "-c", "exit 3"], [], HelperWait.WaitProc);
        Assert.Equal(3, status.ExitCode);
        EventWrittenEventArgs exec = Assert.Single(events.Named("helper_exec"), static e => (string)e.Payload![0]! == "/bin/sh" && (int)e.Payload[1]! != 0);
        Assert.Contains(events.Named("helper_exit"), e => Equals(e.Payload![0], exec.Payload![1]) && Equals(e.Payload[1], 3 << 8));
        UserModeHelper.Call("/nonexistent", ["x"], [], HelperWait.WaitExec);
        Assert.Contains(events.Named("helper_exec"), static e => (string)e.Payload![0]! == "/nonexistent" && (int)e.Payload[2]! == -Errno.ENOENT);
    }
}
