using System.Collections.Concurrent;

namespace Kworker.Systematic;

/// <summary>
/// A callback of a token. The platform waits in a way that the scheduler does not see for one that another thread is calling; so the wait is made here.
/// </summary>
internal sealed class CancelCallback(Action<object?> callback, object? state)
{
    private static readonly ConcurrentDictionary<CancellationTokenRegistration, CancelCallback> s_registered = new();

    private ScheduledThread? _caller; // while it is being called
    private bool _isCalled;

    internal static CancellationTokenRegistration Register(Action<object?> callback, object? state, CancellationToken token)
    {
        Schedule.Point(Step.Cancel);
        var called = new CancelCallback(callback, state);
        CancellationTokenRegistration registration = token.UnsafeRegister(static state => ((CancelCallback)state!).Call(), called);
        if (registration != default)
            s_registered[registration] = called;
        return registration;
    }

    internal static void Forget(CancellationTokenRegistration registration)
    {
        Schedule.Point(Step.Cancel);
        if (registration == default)
            return;
        s_registered.TryRemove(registration, out CancelCallback? called);
        if (registration.Unregister())
            return;
        while (called is { _isCalled: true } && called._caller is { } caller && !ReferenceEquals(caller, ScheduledThread.Current))
            Schedule.Spin();
    }

    private void Call()
    {
        _caller = ScheduledThread.Current;
        _isCalled = true;
        Schedule.Point(Step.Cancel);
        callback(state);
        Schedule.Point(Step.Cancel);
        _caller = null;
    }
}
