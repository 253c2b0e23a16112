using System.Diagnostics.Tracing;

namespace Kworker.Tests;

/// <summary>The listener in docs/tracing.md, compiled and run.</summary>
[Collection(nameof(TracingTests))]
public sealed class ListenerTests
{
    [Fact]
    public void What_goes_wrong_is_written()
    {
        using var written = new StringWriter();
        TextWriter before = Console.Out;
        Console.SetOut(TextWriter.Synchronized(written));
        try
        {
            using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
            using var queue = new Workqueue("mail", null, system);
            using var listener = new Health();
            queue.Queue(new Work<int>(0, static _ => throw new FormatException("on purpose")));
            queue.Flush();
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.StartsWith(
            $"workqueue_exception: mail, {nameof(ListenerTests)}.{nameof(What_goes_wrong_is_written)} lambda, System.FormatException: on purpose",
            written.ToString(),
            StringComparison.Ordinal);
    }

    // guide: listen
    public sealed class Health : EventListener
    {
        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Kworker")
                EnableEvents(eventSource, EventLevel.Informational, (EventKeywords)0x10);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
            Console.WriteLine($"{eventData.EventName}: {string.Join(", ", eventData.Payload!)}");
    }
    // guide end
}
