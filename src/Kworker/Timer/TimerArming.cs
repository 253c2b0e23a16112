using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// How an item is armed and disarmed: by one compare-and-swap of its state, by anybody, without a lock. The wheel is told later, and by whom it suits.
/// <code>
///          arm                               fire (the thread that fires timers)
///   idle ───────► Armed ───────────────► Armed|Firing ───────────────► idle, and its time has come
///     ▲           │  ▲  it seems due          │          it is due
///     │  disarm   │  └────────────────────────┤ armed anew, or not due
///     └───────────┴───────────────────────────┘ disarm
/// </code>
/// <para>
/// An arming has a second half. Each flips Parity; then <c>Expires</c> is written, with the same parity, and then that it has landed. Nobody disarms, fires or arms anew what
/// has not landed, so there is one writer of <c>Expires</c> (and of what the armer writes before it) at a time, and who sees the two parities equal has the arming whole. For a
/// compare-and-swap of the state the parities alone would not do: after two more armings they are what they were, and the second of these may not have landed. So who takes
/// an arming for landed must find another state if it is another arming. There are two ways, and Counted says which:
/// <list type="bullet">
/// <item>One that is armed while it does not run is counted, in the upper half of the state, which is never again what it was. <c>Landed</c> is that count, by a plain write. Armed
/// it does not begin to run, and is not staged: so the count stands still.</item>
/// <item>Where it runs, its worker's stage may know the run by that count. There Landing is set, and taken away by an interlocked operation.</item>
/// </list>
/// </para>
/// <para>
/// IsUnsettled says that the wheel will be told. Who changes the state reads it after: if it is 0 he sets it, before his arming lands, and tells the base, which puts the
/// item on a list (an inbox) or into the wheel. If it is 1 somebody else is on the way, or the item stands in an inbox. Settling it, under the base's lock: write
/// 0, a full fence, read the state, put the item where it belongs. So a change that found 1 is seen by the settling that wrote 0 after; it does not matter
/// how often an item is told of, and a thread that stops between two of these steps does harm to nobody but in time.
/// </para>
/// <para>
/// Firing makes sure that what fires is what was settled: it is set only under the base's lock, and every arming and disarming takes it away. So if the item is
/// settled while the bit stands, and the bit still stands when Armed is taken away, there was no other arming in between, however often the item was armed before.
/// </para>
/// </summary>
internal static class TimerArming
{
    private const long Armed = ItemState.Armed;
    private const long Firing = ItemState.Firing;
    private const long Landing = ItemState.Landing;
    private const long Counted = ItemState.Counted;

    internal static bool IsArmed(long state) => (state & Armed) != 0;

    /// <summary>Armed, and whoever changes the state from this to another changes an arming that has landed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool HasLanded(DeferredItem item, long state) =>
        (state & Counted) != 0 ? IsArmed(state) && Seam.Read(in item.Landed) == ItemState.CountOf(state) : (state & (Armed | Landing)) == Armed;

    /// <summary>The state that follows on an arming.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Arm(long state)
    {
        long armed = ((state & ~(Firing | Counted)) | Armed) ^ ItemState.Parity;
        return (state & ItemState.Running) == 0 ? (armed | Counted) + ItemState.CountUnit : armed | Landing;
    }

    /// <summary>By who armed it, after the compare-and-swap to <paramref name="state"/>, when all has been written: it has landed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Land(DeferredItem item, long state)
    {
        if ((state & Counted) != 0)
            Seam.Write(ref item.Landed, ItemState.CountOf(state));
        else
            Seam.And(ref item.State, ~Landing);
    }

    /// <summary>
    /// Takes Armed away, and with it those of <paramref name="bits"/>; true when it was armed, and then it will not fire. <paramref name="tell"/>: it was settled, the
    /// base is to be told.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryDisarm(DeferredItem item, long bits, out bool tell)
    {
        long state = Seam.Read(in item.State);
        tell = false;
        while (IsArmed(state))
        {
            if (!HasLanded(item, state))
            {
                state = WaitUntilLanded(item);
                continue;
            }

            long seen = Seam.CompareExchange(ref item.State, state & ~(Armed | Firing | Counted | bits), state);
            if (seen == state)
            {
                tell = MarkUnsettled(item);
                return true;
            }

            state = seen;
        }

        return false;
    }

    /// <summary>After a change of the state: true when the caller is to tell the base.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool MarkUnsettled(DeferredItem item)
    {
        if (Seam.Read(in item.IsUnsettled) != 0)
            return false;
        Seam.Write(ref item.IsUnsettled, 1);
        return true;
    }

    /// <summary>Waits for who arms it to write when it is due: the next thing that he does. Returns the state.</summary>
    private static long WaitUntilLanded(DeferredItem item)
    {
        var spin = new SpinWait();
        while (true)
        {
            long state = Seam.Read(in item.State);
            if (!IsArmed(state) || HasLanded(item, state))
                return state;
            Seam.Spin(ref spin);
        }
    }

    /// <summary>Base's lock, after IsUnsettled was cleared and a fence: when it is due; null when it is not armed.</summary>
    internal static long? ReadExpiry(DeferredItem item)
    {
        ref TimerEntry entry = ref item.Timer;
        while (true)
        {
            long state = Seam.Read(in item.State);
            if (!IsArmed(state))
                return null;
            long expires = Seam.Read(in entry.Expires);
            if (TimerExpiry.IsOf(expires, state))
                return expires; // or of a later arming, which will be told of anew
            WaitUntilLanded(item);
        }
    }

    /// <summary>
    /// Base's lock: makes a tick of what was a delay. False when the item has been armed anew meanwhile: then it will be told of.
    /// </summary>
    internal static bool TryResolve(DeferredItem item, long relative, long tick)
    {
        ref TimerEntry entry = ref item.Timer;
        long resolved = TimerExpiry.At(tick) | (relative & 1);
        if (Seam.CompareExchange(ref entry.Expires, resolved, relative) != relative)
            return false;
        if (Seam.Read(in item.IsUnsettled) == 0)
            return true;
        // A later arming of the same length looks the same: its time must not begin with that of this one. If it landed before our write it is unsettled.
        Seam.CompareExchange(ref entry.Expires, relative, resolved);
        return false;
    }

    /// <summary>
    /// Base's lock: when a settled item is due, a tick. False when it is not armed, or has been armed anew: then it need not stand where it stands, for it will be told of.
    /// </summary>
    internal static bool TryReadSettled(DeferredItem item, out long tick)
    {
        long state = Seam.Read(in item.State);
        long expires = Seam.Read(in item.Timer.Expires);
        tick = TimerExpiry.Tick(expires);
        // In this order: what has landed since it was settled is marked before it lands.
        return IsArmed(state) && TimerExpiry.IsOf(expires, state) && Seam.Read(in item.IsUnsettled) == 0;
    }

    /// <summary>Base's lock: takes Armed away from a settled item, whose time has come. False when it is armed no more, or anew.</summary>
    internal static bool TryFire(DeferredItem item)
    {
        long state = Seam.Read(in item.State);
        while (IsArmed(state))
        {
            if (!HasLanded(item, state))
            {
                state = WaitUntilLanded(item);
                continue;
            }

            long seen = Seam.CompareExchange(ref item.State, state | Firing, state);
            if (seen != state)
            {
                state = seen;
                continue;
            }

            state |= Firing;
            if (!TryReadSettled(item, out _))
            {
                Seam.And(ref item.State, ~Firing);
                return false;
            }

            while ((state & Firing) != 0)
            {
                seen = Seam.CompareExchange(ref item.State, state & ~(Armed | Firing | Counted), state);
                if (seen == state)
                    return true;
                state = seen; // another bit changed; or it was disarmed or armed anew, and Firing is gone
            }
        }

        return false;
    }
}
