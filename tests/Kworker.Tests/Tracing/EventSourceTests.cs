using System.Diagnostics.Tracing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class EventSourceTests
{
    [Fact]
    public void Its_manifest_is_sound()
    {
        Assert.Null(KworkerEventSource.Log.ConstructionException);
        Assert.NotEmpty(EventSource.GenerateManifest(typeof(KworkerEventSource), "Kworker.dll", EventManifestOptions.Strict)!);
    }

    [Fact]
    public void The_flags_follow_the_listeners()
    {
        using (new EventRecorder(KworkerEventSource.Keywords.Timer))
            Assert.True(Listeners.Timer);
        using (new EventRecorder(EventKeywords.All))
        {
            Assert.True(Listeners.Workqueue && Listeners.Timer && Listeners.Kthread && Listeners.Helper);
            Assert.False(Listeners.Stacks, "stacks are dear: who listens to everything has not asked for them");
        }

        using (new EventRecorder(KworkerEventSource.Keywords.Health | KworkerEventSource.Keywords.Stacks))
            Assert.True(Listeners.Stacks);
        Assert.False(Listeners.Stacks);
    }
}
