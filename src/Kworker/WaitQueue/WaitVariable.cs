using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// Waiting for any object to change, without a queue in it (<c>wait_var_event</c>, <c>wake_up_var</c>): objects share a table of queues, so that
/// a wake-up may make waiters of another object look at their conditions once in vain. All members are safe to call from any thread.
/// </summary>
public static class WaitVariable
{
    private const int Queues = 256;
    private static readonly WaitQueue[] s_queues = MakeQueues();

    /// <summary>Waits until <paramref name="condition"/> holds; whoever changes what it looks at calls <see cref="WakeUp"/> with the same object.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public static void WaitEvent(object variable, Func<bool> condition, CancellationToken cancellationToken = default) =>
        QueueOf(variable).WaitEvent(condition, cancellationToken);

    /// <summary>As <see cref="WaitEvent"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public static ValueTask WaitEventAsync(object variable, Func<bool> condition, CancellationToken cancellationToken = default) =>
        QueueOf(variable).WaitEventAsync(condition, cancellationToken);

    /// <summary>Makes all who wait for <paramref name="variable"/> look at their conditions.</summary>
    public static void WakeUp(object variable) => QueueOf(variable).WakeUpAll();

    private static WaitQueue QueueOf(object variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return s_queues[RuntimeHelpers.GetHashCode(variable) & (Queues - 1)];
    }

    private static WaitQueue[] MakeQueues()
    {
        var queues = new WaitQueue[Queues];
        for (int i = 0; i < queues.Length; i++)
            queues[i] = new WaitQueue();
        return queues;
    }
}
