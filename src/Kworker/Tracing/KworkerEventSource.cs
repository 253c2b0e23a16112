using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace Kworker;

/// <summary>
/// The trace points, as an event source named "Kworker". Events are named as the kernel's are where it has them, and have its fields in its order; where it
/// prints an address there is an identity here: a number that stays with the object. Each is written under a flag of <see cref="Listeners"/>: with no listener
/// it costs its caller the test of one static byte.
/// </summary>
/// <remarks>
/// All payloads go through the overloads of <c>WriteEvent</c> for numbers and strings, or through <see cref="EventSource.WriteEventCore"/> with the fields laid
/// out by hand: neither needs reflection, so the source survives trimming and native AOT.
/// </remarks>
[EventSource(Name = TraceNames.Source)]
[SuppressMessage("Style", "IDE1006:Naming Styles", Justification = "An event is named after its method, and the kernel's trace points have these names.")]
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "All payloads are numbers and strings.")]
[SuppressMessage("Naming", "CA1707:Identifiers should not contain underscores", Justification = "As above.")]
internal sealed unsafe class KworkerEventSource : EventSource
{
    internal static readonly KworkerEventSource Log = new();

    private KworkerEventSource()
    {
    }

    /// <summary>What a listener may ask for. Public, because the runtime looks for no other.</summary>
    public static class Keywords
    {
        /// <summary>Items queued, activated, begun, ended.</summary>
        public const EventKeywords Workqueue = (EventKeywords)0x1;

        /// <summary>Timers armed, fired, cancelled.</summary>
        public const EventKeywords Timer = (EventKeywords)0x2;

        /// <summary>Kthreads started, asked to stop, ended; the items of kthread workers.</summary>
        public const EventKeywords Kthread = (EventKeywords)0x4;

        /// <summary>Helpers executed and ended.</summary>
        public const EventKeywords Helper = (EventKeywords)0x8;

        /// <summary>Exceptions, deadlocks, stalls, a pool at its cap or without a thread.</summary>
        public const EventKeywords Health = (EventKeywords)0x10;

        /// <summary>No events of its own: records where items are queued and where waits begin, for reports of deadlocks and stalls.</summary>
        public const EventKeywords Stacks = (EventKeywords)0x20;
    }

    protected override void OnEventCommand(EventCommandEventArgs command) => Listeners.Refresh(this);

    [Event(1, Keywords = Keywords.Workqueue, Level = EventLevel.Informational)]
    internal void workqueue_queue_work(long work, string function, string workqueue) => Write(1, work, function, workqueue);

    [Event(2, Keywords = Keywords.Workqueue, Level = EventLevel.Informational)]
    internal void workqueue_activate_work(long work) => WriteEvent(2, work);

    [Event(3, Keywords = Keywords.Workqueue, Level = EventLevel.Informational)]
    internal void workqueue_execute_start(long work, string function) => Write(3, work, function);

    [Event(4, Keywords = Keywords.Workqueue, Level = EventLevel.Informational)]
    internal void workqueue_execute_end(long work, string function) => Write(4, work, function);

    [Event(5, Keywords = Keywords.Health, Level = EventLevel.Error)]
    internal void workqueue_exception(string workqueue, string function, string exception) => WriteEvent(5, workqueue, function, exception);

    [Event(10, Keywords = Keywords.Timer, Level = EventLevel.Informational)]
    internal void timer_start(long timer, string function, long expires, long timeout) => Write(10, timer, function, expires, timeout);

    [Event(11, Keywords = Keywords.Timer, Level = EventLevel.Informational)]
    internal void timer_expire_entry(long timer, string function, long now) => Write(11, timer, function, now);

    [Event(12, Keywords = Keywords.Timer, Level = EventLevel.Informational)]
    internal void timer_cancel(long timer) => WriteEvent(12, timer);

    [Event(20, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_start(string comm) => WriteEvent(20, comm);

    [Event(21, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_stop(string comm) => WriteEvent(21, comm);

    [Event(22, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_stop_ret(string comm, int ret) => WriteEvent(22, comm, ret);

    [Event(23, Keywords = Keywords.Health, Level = EventLevel.Error)]
    internal void kthread_exception(string comm, string exception) => WriteEvent(23, comm, exception);

    [Event(24, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_work_queue_work(long work, string function, string worker) => Write(24, work, function, worker);

    [Event(25, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_work_execute_start(long work, string function) => Write(25, work, function);

    [Event(26, Keywords = Keywords.Kthread, Level = EventLevel.Informational)]
    internal void sched_kthread_work_execute_end(long work, string function) => Write(26, work, function);

    [Event(27, Keywords = Keywords.Health, Level = EventLevel.Error)]
    internal void kthread_work_exception(string worker, string function, string exception) => WriteEvent(27, worker, function, exception);

    [Event(30, Keywords = Keywords.Helper, Level = EventLevel.Informational)]
    internal void helper_exec(string path, int pid, int error) => Write(30, path, pid, error);

    [Event(31, Keywords = Keywords.Helper, Level = EventLevel.Informational)]
    internal void helper_exit(int pid, int status) => WriteEvent(31, pid, status);

    [Event(40, Keywords = Keywords.Health, Level = EventLevel.Warning)]
    internal void pool_cap_reached(string pool, int workers) => WriteEvent(40, pool, workers);

    [Event(41, Keywords = Keywords.Health, Level = EventLevel.Warning)]
    internal void pool_thread_failed(string pool, string error) => WriteEvent(41, pool, error);

    [Event(42, Keywords = Keywords.Health, Level = EventLevel.Warning)]
    internal void workqueue_rescue(string workqueue) => WriteEvent(42, workqueue);

    [Event(43, Keywords = Keywords.Health, Level = EventLevel.Error)]
    internal void deadlock_reported(string report) => WriteEvent(43, report);

    [Event(44, Keywords = Keywords.Health, Level = EventLevel.Warning)]
    internal void watchdog(string kind, string subject, string function, string workqueue, double seconds) =>
        Write(44, kind, subject, function, workqueue, seconds);

    [NonEvent]
    private void Write(int id, long number, string text)
    {
        fixed (char* first = text)
        {
            EventData* data = stackalloc EventData[2];
            data[0] = Number(&number);
            data[1] = Text(first, text);
            WriteEventCore(id, 2, data);
        }
    }

    [NonEvent]
    private void Write(int id, long number, string text1, string text2)
    {
        fixed (char* first = text1, second = text2)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = Number(&number);
            data[1] = Text(first, text1);
            data[2] = Text(second, text2);
            WriteEventCore(id, 3, data);
        }
    }

    [NonEvent]
    private void Write(int id, long number, string text, long number2)
    {
        fixed (char* first = text)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = Number(&number);
            data[1] = Text(first, text);
            data[2] = Number(&number2);
            WriteEventCore(id, 3, data);
        }
    }

    [NonEvent]
    private void Write(int id, long number, string text, long number2, long number3)
    {
        fixed (char* first = text)
        {
            EventData* data = stackalloc EventData[4];
            data[0] = Number(&number);
            data[1] = Text(first, text);
            data[2] = Number(&number2);
            data[3] = Number(&number3);
            WriteEventCore(id, 4, data);
        }
    }

    [NonEvent]
    private void Write(int id, string text, int number1, int number2)
    {
        fixed (char* first = text)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = Text(first, text);
            data[1] = new EventData { DataPointer = (nint)(&number1), Size = sizeof(int) };
            data[2] = new EventData { DataPointer = (nint)(&number2), Size = sizeof(int) };
            WriteEventCore(id, 3, data);
        }
    }

    [NonEvent]
    private void Write(int id, string text1, string text2, string text3, string text4, double number)
    {
        fixed (char* first = text1, second = text2, third = text3, fourth = text4)
        {
            EventData* data = stackalloc EventData[5];
            data[0] = Text(first, text1);
            data[1] = Text(second, text2);
            data[2] = Text(third, text3);
            data[3] = Text(fourth, text4);
            data[4] = new EventData { DataPointer = (nint)(&number), Size = sizeof(double) };
            WriteEventCore(id, 5, data);
        }
    }

    [NonEvent]
    private static EventData Number(long* number) => new() { DataPointer = (nint)number, Size = sizeof(long) };

    [NonEvent]
    private static EventData Text(char* first, string text) => new() { DataPointer = (nint)first, Size = (text.Length + 1) * sizeof(char) };
}
