namespace Kworker.Interop.Peers;

/// <summary>The scenario of <c>shared/linux-client/reclaim</c>: two guests with locks, the server killed and started again, each lock kept and each rival refused.</summary>
internal static class Reclaim
{
    /// <summary>Runs it so many times in a row, each on a new server.</summary>
    public static void Run(string version, int times, params IReadOnlyList<string> options)
    {
        for (int time = 1; time <= times; time++)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"time {time} of {times}");
            Run(version, options);
        }
    }

    /// <summary>Runs it by a version of NFS against the daemon with these options.</summary>
    public static void Run(string version, params IReadOnlyList<string> options)
    {
        LinuxGuest.Need();
        var reclaim = Machine.NeedShared("linux-client/reclaim");
        if (!Try(mayHaveBeenTheEmulator: true))
            Try(mayHaveBeenTheEmulator: false);

        bool Try(bool mayHaveBeenTheEmulator)
        {
            using var directory = new TemporaryDirectory();
            var export = directory.Folder("export");
            var kept = directory.Folder("kept");
            var ended = Command.Run(
                reclaim,
                [
                    version, Machine.Nfsd, "--export", $"{export}:rw,insecure,no_root_squash", "--bind", "0.0.0.0", "--port", "2049",
                    "--state", directory.Folder("state"), .. options,
                ],
                new Dictionary<string, string> { ["EXPORT"] = export, ["DOTNET_ROOT"] = Machine.DotnetRoot, ["KEEP"] = kept });
            if (ended.ExitCode != 0 && mayHaveBeenTheEmulator && FailedEmulator(kept) is { } why)
            {
                Console.Error.WriteLine($"an emulator failed, its guest is booted again: {why}");
                return false;
            }

            ended.Succeeds();
            return true;
        }
    }

    /// <summary>What a guest's console, or the emulator, says if it did not come so far as to run anything (see <see cref="LinuxGuest"/>).</summary>
    private static string? FailedEmulator(string kept)
    {
        foreach (var guest in (string[])["1", "2"])
        {
            var said = ReadLines($"o{guest}");
            if (said.Contains("open"))
                continue;
            if (said.Concat(ReadLines($"c{guest}")).FirstOrDefault(line => line.Contains("Kernel panic", StringComparison.Ordinal) || line.Contains("qemu", StringComparison.Ordinal)) is { } why)
                return why;
        }

        return null;

        string[] ReadLines(string name) => File.Exists(Path.Combine(kept, name)) ? File.ReadAllLines(Path.Combine(kept, name)) : [];
    }
}
