using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Kworker.Tests;

/// <summary>Listens to the library's events, as dotnet-trace does from outside, from its making until it is disposed of.</summary>
internal sealed class EventRecorder : EventListener
{
    private readonly ConcurrentQueue<EventWrittenEventArgs> _events = [];

    public EventRecorder(EventKeywords keywords = EventKeywords.All) =>
        EnableEvents(KworkerEventSource.Log, EventLevel.Informational, keywords);

    public IEnumerable<EventWrittenEventArgs> All => _events;

    public IEnumerable<EventWrittenEventArgs> Named(string name) => _events.Where(e => e.EventName == name);

    protected override void OnEventWritten(EventWrittenEventArgs eventData) => _events.Enqueue(eventData);
}
