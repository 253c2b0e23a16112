using Kworker.Tests.UserModeHelpers;

namespace Kworker.Tests.Guide;

[Collection(HelperTestsDefinition.Name)]
public sealed class HelperTests
{
    [Fact]
    public async Task Numbers_come_back_sorted()
    {
        Assert.Equal("9\n10\n", await SortAsync("10\n9\n"u8.ToArray()));
    }

    [Fact]
    public async Task A_failure_says_what_failed()
    {
        IOException thrown = await Assert.ThrowsAsync<IOException>(async () => await SortAsync("x"u8.ToArray(), "--nonsense"));
        Assert.StartsWith("sort exited with 2: ", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("--nonsense", thrown.Message, StringComparison.Ordinal);
    }

    private static async Task<string> SortAsync(byte[] numbers, string option = "-n")
    {
        // guide: helper
        UserModeHelperCall call = UserModeHelper.Setup(
            "/usr/bin/sort",
            ["sort", option],
            ["LC_ALL=C"],
            new HelperOptions { StandardInput = numbers, StandardOutputLimit = 64 * 1024, StandardErrorLimit = 1024 });
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        HelperStatus status = await call.ExecAsync(HelperWait.WaitProc, patience.Token);
        if (!status.IsSuccess)
            throw new IOException($"sort {status}: {call.StandardError}");
        return call.StandardOutput.ToString();
        // guide end
    }
}
