using Microsoft.Extensions.Time.Testing;

namespace Kworker.Testing;

/// <summary>Moves a fake clock so that each work runs when its time has come.</summary>
public static class FakeTimeExtensions
{
    /// <summary>The timers' grain: a step that brings nothing forward goes on by it.</summary>
    private static readonly TimeSpan s_grain = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Runs all that is due now; then goes on by a time, from one delayed work to the next: at each stop all that is due runs, and what it queues, and what it plans anew has its turn within the
    /// time. When it returns the clock has gone on by the time, and nothing is queued or runs. A work that itself waits for time to pass must not run meanwhile: it would be waited for.
    /// </summary>
    /// <param name="system">The system; its clock is <paramref name="time"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="by">For how long; not negative.</param>
    /// <param name="cancellationToken">Ends the wait for what runs.</param>
    /// <exception cref="ArgumentException">The system has another clock.</exception>
    public static async ValueTask AdvanceAsync(this KworkerSystem system, FakeTimeProvider time, TimeSpan by, CancellationToken cancellationToken = default)
    {
        Check(system, time);
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        DateTimeOffset end = time.GetUtcNow() + by;
        await system.WhenIdleAsync(cancellationToken);
        while (StepWithin(system, end - time.GetUtcNow()) is { } step)
            await StepAsync(system, time, step, cancellationToken);
        await StepAsync(system, time, end - time.GetUtcNow(), cancellationToken);
    }

    /// <summary>As <see cref="AdvanceAsync"/>, until nothing waits for its time any more.</summary>
    /// <param name="system">The system; its clock is <paramref name="time"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="limit">For how long at most: what is periodic never comes to an end.</param>
    /// <param name="cancellationToken">Ends the wait for what runs.</param>
    /// <returns>For how long it went on.</returns>
    /// <exception cref="ArgumentException">The system has another clock.</exception>
    /// <exception cref="TimeoutException">Something still waits for its time after <paramref name="limit"/>; the message names it.</exception>
    public static async ValueTask<TimeSpan> AdvanceUntilIdleAsync(this KworkerSystem system, FakeTimeProvider time, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        Check(system, time);
        DateTimeOffset start = time.GetUtcNow();
        await system.WhenIdleAsync(cancellationToken);
        while (StepWithin(system, start + limit - time.GetUtcNow()) is { } step)
            await StepAsync(system, time, step, cancellationToken);
        if (Delayed(system).FirstOrDefault() is { } left)
            throw new TimeoutException($"{left.Function} still waits for its time after {limit}.");
        return time.GetUtcNow() - start;
    }

    private static void Check(KworkerSystem system, FakeTimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(time);
        if (!ReferenceEquals(system.TimeProvider, time))
            throw new ArgumentException("The system follows another clock.", nameof(time));
    }

    /// <summary>Until the next work comes due; null when that is later than what is left.</summary>
    private static TimeSpan? StepWithin(KworkerSystem system, TimeSpan left)
    {
        WorkItemSnapshot[] delayed = [.. Delayed(system)];
        if (delayed.Length == 0)
            return null;
        TimeSpan next = delayed.Min(static item => item.DueIn.GetValueOrDefault());
        TimeSpan step = next > TimeSpan.Zero ? next : s_grain;
        return step <= left ? step : null;
    }

    private static async ValueTask StepAsync(KworkerSystem system, FakeTimeProvider time, TimeSpan step, CancellationToken cancellationToken)
    {
        time.Advance(step); // what has come due is queued when this returns
        await system.WhenIdleAsync(cancellationToken);
    }

    private static IEnumerable<WorkItemSnapshot> Delayed(KworkerSystem system) =>
        system.Snapshot(int.MaxValue).Workqueues.SelectMany(static queue => queue.Delayed);
}
