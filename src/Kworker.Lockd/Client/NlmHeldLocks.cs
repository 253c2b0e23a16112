using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Client;

/// <summary>
/// What one owner holds in one file, as POSIX says: a range taken anew replaces what was there, one given up in the middle of another
/// leaves two. In order of start; no two overlap. Guarded by the host's lock.
/// </summary>
internal sealed class NlmHeldLocks(NlmClientOwner owner)
{
    private List<NlmHeldLock> _locks = [];

    public IReadOnlyList<NlmHeldLock> All => _locks;

    public bool HasLost => _locks.Exists(static held => held.IsLost);

    /// <summary>The range is held so now, or not any more (null). What is taken anew is not lost.</summary>
    /// <param name="kind">How it is held; null: not at all.</param>
    /// <param name="range">Which range.</param>
    /// <param name="number">The place in the order of granting.</param>
    public void Set(LockKind? kind, LockRange range, long number)
    {
        var next = new List<NlmHeldLock>(_locks.Count + 2);
        LockRange merged = range;
        foreach (NlmHeldLock held in _locks)
        {
            bool joins = kind == held.Kind && !held.IsLost && (held.Range.Overlaps(range) || Touches(held.Range, range));
            if (joins)
            {
                merged = new LockRange(Math.Min(merged.Start, held.Range.Start), Math.Max(merged.End, held.Range.End));
                number = Math.Min(number, held.Number);
                continue;
            }
            if (!held.Range.Overlaps(range))
            {
                next.Add(held);
                continue;
            }
            if (held.Range.Start < range.Start)
                next.Add(Part(held, held.Range.Start, range.Start - 1));
            if (held.Range.End > range.End)
                next.Add(Part(held, range.End + 1, held.Range.End));
        }
        if (kind is { } taken)
            next.Add(new NlmHeldLock(owner, taken, merged, number));
        next.Sort(static (one, other) => one.Range.Start.CompareTo(other.Range.Start));
        _locks = next;
    }

    /// <summary>The parts of a range, each with how it is held; null: not, or lost.</summary>
    public List<(LockKind? Kind, LockRange Range)> Parts(LockRange range)
    {
        var parts = new List<(LockKind?, LockRange)>();
        ulong from = range.Start;
        foreach (NlmHeldLock held in _locks)
        {
            if (held.IsLost || !held.Range.Overlaps(range))
                continue;
            if (held.Range.Start > from)
                parts.Add((null, new LockRange(from, held.Range.Start - 1)));
            ulong end = Math.Min(held.Range.End, range.End);
            parts.Add((held.Kind, new LockRange(Math.Max(from, held.Range.Start), end)));
            if (end == range.End)
                return parts;
            from = end + 1;
        }
        parts.Add((null, new LockRange(from, range.End)));
        return parts;
    }

    private static bool Touches(LockRange one, LockRange other) =>
        (one.End != ulong.MaxValue && one.End + 1 == other.Start) || (other.End != ulong.MaxValue && other.End + 1 == one.Start);

    private NlmHeldLock Part(NlmHeldLock of, ulong start, ulong end) => new(owner, of.Kind, new LockRange(start, end), of.Number) { IsLost = of.IsLost };
}
