using System.Globalization;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>Working directory, user and groups. As root they are put on; otherwise they are refused, and these tests expect that.</summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class HelperIdentityTests(HelperPrograms programs) : HelperTests(programs)
{
    private const uint Nobody = 65534;
    private static readonly HelperCredentials s_somebody = new(4711, 4712, 4713, 4714);

    private static bool IsRoot => NativeCalls.EffectiveUser() == 0;

    [Theory]
    [InlineData("/usr/bin", "/usr/bin")]
    [InlineData("usr/bin", "/usr/bin")]
    [InlineData("/", "/")]
    [InlineData(null, "/")]
    public async Task A_program_starts_where_it_is_asked_to(string? directory, string answer)
    {
        foreach (bool asynchronous in new[] { false, true })
        {
            // A relative path of the program starts at the root nevertheless.
            UserModeHelperCall call = UserModeHelper.Setup(
                "bin/pwd", ["pwd"], [], new HelperOptions { WorkingDirectory = directory, StandardOutputLimit = 1000 });
            Assert.True((await Exec(call, asynchronous)).IsSuccess);
            Assert.Equal(answer + "\n", call.StandardOutput.ToString());
        }
    }

    [Fact]
    public async Task Errors_of_the_directory_and_of_the_exec_are_told_apart()
    {
        foreach (bool asynchronous in new[] { false, true })
        {
            Assert.Equal(HelperStatus.SetupFailed("chdir", Errno.ENOENT), await In("/nowhere", "/bin/true", asynchronous));
            Assert.Equal(HelperStatus.SetupFailed("chdir", Errno.ENOTDIR), await In(Programs.Probe, "/bin/true", asynchronous));
            Assert.Equal(HelperStatus.ExecFailed(Errno.ENOENT), await In("/usr", "/nowhere/program", asynchronous));
            Assert.Equal(HelperStatus.ExecFailed(Errno.EACCES), await In("/usr", Programs.NotExecutable, asynchronous));
        }
        Assert.Equal(
            "could not be set up: chdir: No such file or directory (errno 2)", (await In("/nowhere", "/bin/true", asynchronous: false)).ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_has_the_ids_it_is_asked_to_have_and_nothing_of_ours(bool asynchronous)
    {
        UserModeHelperCall call = UserModeHelper.Setup(
            "/bin/cat", ["cat", "/proc/self/status"], [], new HelperOptions { Credentials = s_somebody, StandardOutputLimit = 100_000 });
        HelperStatus status = await Exec(call, asynchronous);
        if (!IsRoot)
        {
            Assert.Equal(HelperStatus.SetupFailed("setgroups", Errno.EPERM), status);
            return;
        }
        Assert.True(status.IsSuccess);
        Dictionary<string, string> fields = call.StandardOutput.ToString()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(':', 2))
            .ToDictionary(static parts => parts[0], static parts => parts[1].Trim());
        Assert.Equal("4711\t4711\t4711\t4711", fields["Uid"]);
        Assert.Equal("4712\t4712\t4712\t4712", fields["Gid"]);
        Assert.Equal("4713 4714", fields["Groups"]);
        Assert.Equal(0UL, ulong.Parse(fields["CapEff"], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(0UL, ulong.Parse(fields["CapPrm"], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(0UL, ulong.Parse(fields["CapAmb"], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

        Assert.Equal(0U, NativeCalls.EffectiveUser());
        Assert.True(UserModeHelper.Call(Programs.Probe, ["probe", "uid"], [], HelperWait.WaitProc).IsSuccess);
    }

    [Fact]
    public async Task Directory_and_program_are_reached_with_the_rights_of_the_helper()
    {
        if (!IsRoot || OperatingSystem.IsWindows())
            return; // who cannot put on another's ids is refused before that: see above
        string secret = Directory.CreateTempSubdirectory("kworker-secret-").FullName; // for its owner alone
        string program = Path.Combine(secret, "true");
        File.Copy("/bin/true", program);
        try
        {
            var options = new HelperOptions { Credentials = s_somebody, WorkingDirectory = secret };
            Assert.Equal(
                HelperStatus.SetupFailed("chdir", Errno.EACCES), await UserModeHelper.Setup("/bin/true", ["true"], [], options).ExecAsync(HelperWait.WaitProc));
            options = new HelperOptions { Credentials = s_somebody };
            Assert.Equal(
                HelperStatus.ExecFailed(Errno.EACCES), await UserModeHelper.Setup(program, ["true"], [], options).ExecAsync(HelperWait.WaitProc));
        }
        finally
        {
            Directory.Delete(secret, recursive: true);
        }
    }

    [Fact]
    public async Task A_helper_of_another_user_may_open_its_streams_by_name()
    {
        if (!IsRoot)
            return; // refused: see above
        UserModeHelperCall call = UserModeHelper.Setup(
            "/bin/sh",
            ["sh", "-c", "cat /dev/stdin > /dev/stdout; echo error > /dev/stderr"],
            ["PATH=/usr/bin:/bin"],
            new HelperOptions { Credentials = s_somebody, StandardInput = "input"u8.ToArray(), StandardOutputLimit = 100, StandardErrorLimit = 100 });
        Assert.True((await call.ExecAsync(HelperWait.WaitProc)).IsSuccess);
        Assert.Equal("input", call.StandardOutput.ToString());
        Assert.Equal("error\n", call.StandardError.ToString());
    }

    [Fact]
    public void Who_may_not_change_ids_is_refused_but_for_the_very_ones_there_are()
    {
        // A thread's threads, and children, have its ids: this one gives up its own.
        var other = default(HelperStatus);
        var same = default(HelperStatus);
        bool isRoot = IsRoot;
        var thread = new Thread(() =>
        {
            if (isRoot)
                PutOn(Nobody);
            other = UserModeHelper.Setup("/bin/true", ["true"], [], new HelperOptions { Credentials = new(0, 0) }).Exec(HelperWait.WaitProc);
            same = UserModeHelper.Setup("/bin/true", ["true"], [], new HelperOptions { Credentials = new(Nobody, Nobody, Nobody) })
                .Exec(HelperWait.WaitProc);
        });
        thread.Start();
        thread.Join();
        Assert.Equal(HelperStatus.SetupFailed("setgroups", Errno.EPERM), other);
        Assert.Equal(isRoot ? new HelperStatus(HelperOutcome.Exited, 0) : other, same);
    }

    [Fact]
    public void An_id_is_never_the_number_that_changes_nothing()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HelperCredentials(uint.MaxValue, 0));
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HelperCredentials(0, uint.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(static () => new HelperCredentials(0, 0, 1, uint.MaxValue));
    }

    private static unsafe void PutOn(uint id)
    {
        (nint setGroups, nint setGroupIds, nint setUserIds) = HelperIdentity.CallNumbers!.Value;
        Assert.Equal(0, HelperLibC.SystemCall(setGroups, 1, (nint)(&id), 0));
        Assert.Equal(0, HelperLibC.SystemCall(setGroupIds, (nint)id, (nint)id, (nint)id));
        Assert.Equal(0, HelperLibC.SystemCall(setUserIds, (nint)id, (nint)id, (nint)id));
    }

    private static async Task<HelperStatus> In(string directory, string path, bool asynchronous) =>
        await Exec(UserModeHelper.Setup(path, ["it"], [], new HelperOptions { WorkingDirectory = directory }), asynchronous);

    private static async ValueTask<HelperStatus> Exec(UserModeHelperCall call, bool asynchronous) =>
        asynchronous ? await call.ExecAsync(HelperWait.WaitProc) : call.Exec(HelperWait.WaitProc);
}
