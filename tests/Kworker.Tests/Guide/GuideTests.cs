using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests.Guide;

/// <summary>
/// A recipe of docs/guide.md, run. What stands between "guide:" and "guide end" is in the guide word for word (<see cref="GuideTextTests"/>), and uses the
/// default system, as a program would: here one of its own, with a clock that the test moves.
/// </summary>
[Collection(GuideTestsDefinition.Name)]
public abstract class GuideTests : IAsyncLifetime
{
    private readonly KworkerSystem _previous = KworkerSystem.Default;
    private readonly KworkerSystem _system;

    protected GuideTests() => KworkerSystem.Default = _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = Time });

    protected FakeTimeProvider Time { get; } = new();

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        KworkerSystem.Default = _previous;
        await _system.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
