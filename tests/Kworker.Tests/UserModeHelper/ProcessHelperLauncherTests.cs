using System.Collections.Concurrent;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>The launcher of other platforms does here what it can do anywhere.</summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class ProcessHelperLauncherTests(HelperPrograms programs)
{
    private readonly ProcessHelperLauncher _launcher = new();

    [Theory]
    [InlineData(0, "exit", "0")]
    [InlineData(42 << 8, "exit", "42")]
    [InlineData(127 << 8, "exit", "127")]
    [InlineData(9, "kill", "9")]
    [InlineData(15, "kill", "15")]
    [InlineData(5 << 8, "argc", "a", "b", "c")]
    [InlineData(0, "args", "a_b;$HOME", "", "*")]
    [InlineData(2 << 8, "env")]
    [InlineData(0, "cwd")]
    public void Runs_a_program_with_what_the_caller_gave(int status, params string[] arguments)
    {
        Assert.Equal(status, Run(programs.Probe, ["probe", .. arguments]));
        Assert.Equal(0, _launcher.Count);
    }

    [Fact]
    public void Gives_the_errno_of_the_exec()
    {
        Assert.Equal(-Errno.ENOENT, Run("/nowhere/program", ["program"]));
        Assert.Equal(-Errno.EACCES, Run(programs.NotExecutable, ["noexec"]));
        Assert.Equal(-Errno.EACCES, Run("/etc", ["etc"]));
        Assert.Equal(-Errno.ENOEXEC, Run(programs.Garbage, ["garbage"]));
        Assert.Equal(-Errno.ENOENT, Run(programs.BadInterpreter, ["badinterp"]));
        Assert.Equal(-Errno.EINVAL, Run(programs.Probe, []));
    }

    [Fact]
    public void Starts_nothing_after_it_was_stopped()
    {
        _launcher.Stop();
        Assert.Equal(-Errno.EBUSY, Run(programs.Probe, ["probe", "exit", "0"]));
    }

    [Fact]
    public void Starts_a_program_in_the_directory_that_is_asked_for_and_names_what_it_cannot_do()
    {
        var program = new HelperProgram(programs.Probe, ["probe", "cwd"], []);
        using var ended = new BlockingCollection<int>();
        Assert.Equal(HelperOutcome.Started, _launcher.Start(program with { WorkingDirectory = "/etc" }, ended.Add).Outcome);
        Assert.Equal(1 << 8, ended.Take()); // it is not in "/"

        Assert.Equal(
            HelperStatus.SetupFailed("chdir", Errno.ENOENT), _launcher.Start(program with { WorkingDirectory = "/nowhere" }, ended.Add));
        Assert.Equal(
            HelperStatus.SetupFailed("chdir", Errno.ENOTDIR), _launcher.Start(program with { WorkingDirectory = programs.Probe }, ended.Add));
        Assert.Equal(
            HelperStatus.SetupFailed("setresuid", Errno.ENOSYS), _launcher.Start(program with { Credentials = new(0, 0) }, ended.Add));
        Assert.Equal(
            HelperStatus.SetupFailed("pipe2", Errno.ENOSYS), _launcher.Start(program with { Output = new HelperCapture(1) }, ended.Add));
    }

    private int Run(string path, IReadOnlyList<string> argv)
    {
        var ended = new BlockingCollection<int>();
        int error = _launcher.Start(new HelperProgram(path, argv, HelperPrograms.Environment), ended.Add).Raw;
        return error != 0 ? error : ended.Take();
    }
}
