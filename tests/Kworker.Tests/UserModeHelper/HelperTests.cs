namespace Kworker.Tests.UserModeHelpers;

/// <summary>A test of helpers in a system of its own, which leaves no helper behind.</summary>
public abstract class HelperTests : IAsyncLifetime
{
    private readonly KworkerSystem _previous = KworkerSystem.Default;

    protected HelperTests(HelperPrograms programs, KworkerSystemOptions? options = null)
    {
        Programs = programs;
        KworkerSystem.Default = System = new KworkerSystem(options);
    }

    protected HelperPrograms Programs { get; }

    protected KworkerSystem System { get; }

    public ValueTask InitializeAsync()
    {
        Assert.Same(System, KworkerSystem.Current); // not on a worker of another system
        return default;
    }

    public virtual async ValueTask DisposeAsync()
    {
        using (Programs.OpenAllGates())
        {
            await System.DisposeAsync();
            if (System.Helpers.Launcher is LinuxHelperLauncher launcher)
                launcher.Join();
        }
        KworkerSystem.Default = _previous;
        Assert.Empty(HelperProcesses.Zombies());
        GC.SuppressFinalize(this);
    }
}
