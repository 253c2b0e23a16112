using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kworker.Systematic;

/// <summary>What must be said even when the process goes down: the seed. And a broken invariant of the library fails its schedule.</summary>
internal static class Crash
{
    private static int s_seed;
    private static int s_steps;

    internal static void Note(int seed, int expectedSteps) => (s_seed, s_steps) = (seed, expectedSteps);

    [ModuleInitializer]
    internal static void Install()
    {
        AppDomain.CurrentDomain.UnhandledException += (_, e) =>
            Console.Error.WriteLine($"KWORKER_SEED={s_seed} KWORKER_STEPS={s_steps} brought the process down: {e.ExceptionObject}");
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new FailingListener());
    }

    private sealed class FailingListener : TraceListener
    {
        public override void Fail(string? message, string? detailMessage)
        {
            var failure = new ScheduleException($"Broken invariant: {message} {detailMessage}\n{new StackTrace(2)}");
            if (ScheduledThread.Current is { } thread)
                thread.Schedule.Fail(failure);
            throw failure;
        }

        public override void Write(string? message)
        {
        }

        public override void WriteLine(string? message)
        {
        }
    }
}
