using System.Text.RegularExpressions;
using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>
/// The server's power is cut: what it wrote and did not sync is gone (SIGKILL alone would lose nothing: the page cache outlives it). No
/// write that was stable or committed may be missed, and by the changed verifier clients must learn to send the rest again.
/// </summary>
public sealed partial class PowerCutTests
{
    [Fact]
    public async Task What_was_stable_or_committed_stays_and_the_rest_is_told_by_the_verifier()
    {
        await using var server = await StartAsync();
        ulong before;
        byte[] file;
        using (var nfs = await MountAsync(server))
        {
            file = (await nfs.CreateAsync(nfs.Root, "file")).Handle;
            (_, before) = await nfs.WriteAsync(file, 0, "stable+"u8.ToArray(), RawNfs.Stable.FileSync);
            await nfs.WriteAsync(file, 7, "committed+"u8.ToArray(), RawNfs.Stable.Unstable);
            Assert.Equal(before, await nfs.CommitAsync(file));
            // Neither may survive: new bytes at the end, and others over what is stable.
            await nfs.WriteAsync(file, 17, "neither"u8.ToArray(), RawNfs.Stable.Unstable);
            await nfs.WriteAsync(file, 0, "UNSAFE"u8.ToArray(), RawNfs.Stable.Unstable);
            Assert.Equal("UNSAFE+committed+neither"u8.ToArray(), await nfs.ReadAsync(file, 0, 100));
        }

        Assert.Equal(13, await CutPowerAsync(server, whenUnsynced: 13));
        await server.StartAgainAsync();

        using (var nfs = await MountAsync(server))
        {
            Assert.Equal("stable+committed+"u8.ToArray(), await nfs.ReadAsync(file, 0, 100));
            var after = await nfs.CommitAsync(file);
            Assert.NotEqual(before, after);
            // A client sends again what was not committed when the verifier changed; this time it is.
            Assert.Equal((RawNfs.Stable.Unstable, after), await nfs.WriteAsync(file, 17, "neither"u8.ToArray(), RawNfs.Stable.Unstable));
            Assert.Equal(after, await nfs.CommitAsync(file));
        }

        Assert.Equal(0, await CutPowerAsync(server, whenUnsynced: 0));
        await server.StartAgainAsync();
        using (var nfs = await MountAsync(server))
            Assert.Equal("stable+committed+neither"u8.ToArray(), await nfs.ReadAsync(file, 0, 100));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("4.0", Traits = ["Run", "full"])]
    [InlineData("4.1", Traits = ["Run", "full"])]
    public Task A_Linux_client_sends_again_what_was_lost(string version) => CutDuringWriteAsync(version, mebibytes: 24, cuts: 1);

    [Theory, Trait("Run", "full")]
    [InlineData("3", 8)]
    [InlineData("4.0", 3)]
    [InlineData("4.1", 8)]
    public Task A_Linux_client_sends_again_what_was_lost_many_times(string version, int cuts) => CutDuringWriteAsync(version, mebibytes: 128, cuts);

    private static async Task CutDuringWriteAsync(string version, int mebibytes, int cuts)
    {
        LinuxGuest.Need();
        await using var server = await StartAsync(["--cltrack", Machine.NfsdCltrack, .. ServerOptions.Grace(version)]);
        await using var guest = LinuxGuest.Start(server, version, "large-write.sh", [$"{mebibytes}"]);
        for (var i = 1; i <= cuts; i++)
        {
            await guest.SaysAsync($"written {mebibytes * i / (cuts + 1)}");
            Assert.InRange(await CutPowerAsync(server, whenUnsynced: 1 << 20), 1 << 20, long.MaxValue);
            await server.StartAgainAsync();
        }

        var values = await guest.EndsWellAsync(checks: 6);
        var large = Command.Run("sha1sum", [server.PathOf("large")]).Succeeds().Output;
        Assert.Equal(values["sha1"], large.Split(' ')[0]);

        // The guest has unmounted, so all of it was committed: one more cut takes nothing.
        Assert.Equal(0, await CutPowerAsync(server, whenUnsynced: 0));
        Assert.Equal(large, Command.Run("sha1sum", [server.PathOf("large")]).Succeeds().Output);
    }

    private static Task<NfsServer> StartAsync(params IReadOnlyList<string> arguments)
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: the peer's power cannot be cut");
        return NfsServer.StartAsync(new ServerOptions { Executable = Machine.PowerCutHost, Arguments = arguments });
    }

    private static Task<RawNfs> MountAsync(NfsServer server) => RawNfs.MountAsync(server.Address, server.MountPort, server.Export);

    /// <summary>Cuts the power once at least so many bytes would be lost; how many were.</summary>
    private static async Task<long> CutPowerAsync(NfsServer server, int whenUnsynced)
    {
        await server.TellAsync($"cut {whenUnsynced}");
        await server.EndedAsync();
        return long.Parse(Lost().Matches(server.Log)[^1].Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^lost (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Lost();
}
