namespace Kworker;

/// <summary>The bits of <see cref="DeferredItem.State"/>: one word, so that one compare-and-swap takes an item from one state to another.</summary>
internal static class ItemState
{
    /// <summary>Queued, or its time runs, or somebody is about to put it there: who sets it owns the item until a worker begins it.</summary>
    internal const long Pending = 1;

    /// <summary>A worker executes it, or its async run awaits.</summary>
    internal const long Running = 2;

    /// <summary>A cancel-sync waits for its run to end; it owns Pending meanwhile.</summary>
    internal const long Canceling = 4;

    /// <summary>In a worker's <see cref="Stage"/>: that worker may begin it without the run lock, whoever holds the run lock may take it out of there.</summary>
    internal const long Staged = 8;

    /// <summary>Somebody stands behind the run that a worker began from its stage: the run ends under the run lock.</summary>
    internal const long Watched = 16;

    /// <summary>Where it stands in its worker's stage: bits 11 to 14. Kept while it runs from there.</summary>
    internal const long StageIndexMask = 0xFL << StageIndexShift;

    /// <summary>See <see cref="StageIndexMask"/>.</summary>
    internal const int StageIndexShift = 11;

    /// <summary>How often it has been disabled and not enabled again: bits 16 to 31.</summary>
    internal const long DisabledMask = 0xFFFFL << 16;

    /// <summary>Disabled once.</summary>
    internal const long DisabledUnit = 1L << 16;

    /// <summary>
    /// Counts, in bits 32 and up, how often it has been staged, and armed while it did not run: a worker begins only what is still staged as it was when it took it.
    /// </summary>
    internal const long CountUnit = 1L << 32;

    /// <summary>What <see cref="CountUnit"/> counts.</summary>
    internal static int CountOf(long state) => (int)(state >>> 32);

    /// <summary>Both are of one time that the item was staged: what runs from a stage is not counted on.</summary>
    internal static bool IsSameStaging(long state, long other) => CountOf(state) == CountOf(other);

    /// <summary>Its time runs. See <see cref="TimerArming"/> for these five.</summary>
    internal const long Armed = 1 << 8;

    /// <summary>Armed, and the thread that fires timers looks whether it is due.</summary>
    internal const long Firing = 1 << 9;

    /// <summary>Changes with each arming.</summary>
    internal const long Parity = 1 << 10;

    /// <summary>Armed while it ran, and who armed it is about to write when it is due.</summary>
    internal const long Landing = 1 << 15;

    /// <summary>Armed while it did not run: counted, and <see cref="DeferredItem.Landed"/> says when that has been written.</summary>
    internal const long Counted = 1 << 5;
}
