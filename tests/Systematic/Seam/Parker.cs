using Kworker.Systematic;

namespace Kworker;

/// <summary>The library's parker in this assembly: a token like the product's; who sleeps gives the turn to another thread of the schedule.</summary>
internal sealed class Parker
{
    [ThreadStatic]
    private static Parker? t_current;

    private readonly ScheduledThread _thread;
    private bool _token; // the schedule runs one thread at a time

    internal Parker(ScheduledThread thread) => _thread = thread;

    internal static Parker Current => t_current ?? throw new InvalidOperationException("Only a thread of the schedule can wait.");

    internal static Parker ForNewThread(TaskObserver? observer)
    {
        _ = observer; // for tests of another kind
        return new Parker(Schedule.Current.AddThread());
    }

    internal void Adopt()
    {
        t_current = this;
        _thread.Arrive();
    }

    internal void Leave() => _thread.End();

    internal bool IsObserved { get; }

    internal void Park() => Park(Timeout.Infinite);

    internal bool Park(int milliseconds)
    {
        Schedule.Point(Step.Park);
        if (!_token)
            _thread.Sleep(milliseconds < 0 ? long.MaxValue : _thread.Schedule.Now + milliseconds);
        bool woken = _token;
        _token = false;
        return woken;
    }

    internal void ParkAtMost(TimeSpan time) => Park((int)Math.Min(int.MaxValue, Math.Ceiling(time.TotalMilliseconds)));

    internal void Unpark()
    {
        Schedule.Point(Step.Unpark);
        _token = true;
        _thread.Wake();
    }
}
