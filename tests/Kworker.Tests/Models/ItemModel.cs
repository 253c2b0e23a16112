namespace Kworker.Tests.Models;

/// <summary>
/// An item as the rules have it: what <c>queue_work</c>, <c>mod_delayed_work</c>, <c>cancel_work_sync</c>, <c>flush_work</c> do to it, one after another. Each step
/// returns null where the rules do not allow it, or another answer is due. Each queueing has a number of its own.
/// </summary>
internal readonly record struct ItemModel
{
    private int Pending { get; init; } // the number of what is queued; 0: nothing
    private bool IsTimed { get; init; } // its time runs
    private int Running { get; init; } // the number of what runs
    private int Cancelling { get; init; } // cancel-syncs that wait
    private int Disabled { get; init; } // so often it was disabled and not enabled
    private int Disabling { get; init; } // a bit for each thread that is between taking it back and disabling it
    private int Last { get; init; }
    private (int, int, int, int) Flushing { get; init; } // what the flush of each thread waits for

    /// <summary>Several cancel-syncs may wait at once (a kthread's work); else each waits for the one before.</summary>
    internal bool CancelsTogether { get; init; }

    internal ItemModel? Queue(bool timed, bool answer)
    {
        bool queued = Pending == 0 && Cancelling == 0 && Disabled == 0;
        if (queued != answer)
            return null;
        return queued ? Put(timed) : this;
    }

    internal ItemModel? Modify(bool timed, bool answer)
    {
        if (Cancelling > 0)
            return answer ? this : null;
        if (Pending != 0 != answer)
            return null;
        return Disabled == 0 ? Put(timed) : this;
    }

    internal ItemModel? Cancel(bool answer) =>
        Pending != 0 != answer ? null : this with { Pending = 0, IsTimed = false };

    internal ItemModel? BeginCancelSync(bool answer)
    {
        if (Cancelling > 0 && !CancelsTogether)
            return null;
        if (Pending != 0 != answer)
            return null;
        return this with { Pending = 0, IsTimed = false, Cancelling = Cancelling + 1 };
    }

    /// <summary>Whatever it answers: that of a disable that waits.</summary>
    internal ItemModel? BeginCancelSync() => Cancelling > 0 && !CancelsTogether ? null : this with { Pending = 0, IsTimed = false, Cancelling = Cancelling + 1 };

    internal ItemModel? EndCancelSync() => Running != 0 ? null : this with { Cancelling = Cancelling - 1 };

    /// <summary>What is being cancelled already is taken: then it is disabled at once.</summary>
    internal ItemModel? BeginDisable(int thread, bool answer)
    {
        if (Cancelling > 0)
            return answer ? null : this with { Disabled = Disabled + 1 };
        return BeginCancelSync(answer) is { } taken ? taken with { Disabling = Disabling | (1 << thread) } : null;
    }

    internal ItemModel? EndDisable(int thread) => (Disabling & (1 << thread)) == 0
        ? this
        : this with { Disabling = Disabling & ~(1 << thread), Cancelling = Cancelling - 1, Disabled = Disabled + 1 };

    internal ItemModel? Enable(bool answer) => Disabled == 1 != answer ? null : this with { Disabled = Disabled - 1 };

    /// <summary>
    /// Of its queue. What is pending need not be waited for: another may have taken it to queue it, and not have put it in line yet, as in the kernel.
    /// </summary>
    internal ItemModel? BeginFlushQueue(int thread) => Waiting(thread, Running);

    internal ItemModel? BeginFlush(int thread) => (this with { IsTimed = false }).Waiting(thread, Pending != 0 ? Pending : Running);

    internal ItemModel? EndFlush(int thread)
    {
        int awaited = thread switch { 0 => Flushing.Item1, 1 => Flushing.Item2, 2 => Flushing.Item3, _ => Flushing.Item4 };
        return awaited != 0 && (Pending == awaited || Running == awaited) ? null : Waiting(thread, 0);
    }

    internal ItemModel? Begin() => Pending == 0 || IsTimed || Running != 0 ? null : this with { Running = Pending, Pending = 0 };

    internal ItemModel? End() => Running == 0 ? null : this with { Running = 0 };

    /// <summary>Who modifies what is disabled holds it for a moment, as in the kernel, before he lets go of it.</summary>
    internal ItemModel? See(bool pending) => (Pending != 0 || Cancelling > 0) == pending || (pending && Disabled > 0) ? this : null;

    private ItemModel Put(bool timed) => this with { Pending = Last + 1, Last = Last + 1, IsTimed = timed };

    private ItemModel Waiting(int thread, int what)
    {
        (int, int, int, int) flushing = Flushing;
        switch (thread)
        {
            case 0:
                flushing.Item1 = what;
                break;
            case 1:
                flushing.Item2 = what;
                break;
            case 2:
                flushing.Item3 = what;
                break;
            default:
                flushing.Item4 = what;
                break;
        }

        return this with { Flushing = flushing };
    }
}
