using System.Diagnostics.Tracing;
using System.Reflection;

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
    public void The_chapter_names_all_events()
    {
        string chapter = Chapter.Section("What happens");
        string[] events =
        [
            .. typeof(KworkerEventSource).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic)
                .Where(static method => method.GetCustomAttribute<EventAttribute>() is not null).Select(static method => method.Name),
        ];
        Assert.NotEmpty(events);
        Assert.All(events, name => Assert.Contains($"`{name}`", chapter, StringComparison.Ordinal));
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
