namespace Kworker.PowerCut;

/// <summary>What a file would go back to if the power failed now: the durable content under every byte that was written and not synced.</summary>
/// <remarks>Not thread-safe; the owner locks it.</remarks>
internal sealed class UnsyncedData(ulong durableSize)
{
    /// <summary>A stretch of unsynced bytes, and what is durable there; null stands for zeros, or for nothing at all past the durable size.</summary>
    internal readonly record struct Stretch(ulong Start, ulong End, byte[]? Durable)
    {
        public Stretch Part(ulong start, ulong end) =>
            new(start, end, Durable?.AsSpan((int)(start - Start), (int)(end - start)).ToArray());
    }

    private readonly List<Stretch> _stretches = []; // Sorted, never overlapping.

    /// <summary>The size that the file would have.</summary>
    public ulong DurableSize { get; private set; } = durableSize;

    public IReadOnlyList<Stretch> Stretches => _stretches;

    /// <summary>Notes that [start, end) is about to be overwritten without a sync.</summary>
    /// <param name="start">First byte.</param>
    /// <param name="end">Byte after the last.</param>
    /// <param name="readDurable">Reads what is there now, called for the parts that were not overwritten before; null for zeros.</param>
    public void Overwrite(ulong start, ulong end, Func<ulong, ulong, byte[]?> readDurable)
    {
        ulong at = start;
        var added = new List<Stretch>();
        foreach (Stretch known in _stretches.Where(known => known.Start < end && known.End > start))
        {
            if (known.Start > at)
                added.Add(new Stretch(at, known.Start, readDurable(at, known.Start)));
            at = Math.Max(at, known.End);
        }
        if (at < end)
            added.Add(new Stretch(at, end, readDurable(at, end)));
        _stretches.AddRange(added);
        Tidy();
    }

    /// <summary>Notes that [start, end) is durable now, in a file of <paramref name="size"/> bytes.</summary>
    public void Sync(ulong start, ulong end, ulong size)
    {
        ulong reach = Math.Min(end, size);
        if (start < reach)
            DurableSize = Math.Max(DurableSize, reach);
        Drop(start, end);
    }

    /// <summary>Notes that the size was set, durably. What lies past it is gone, and comes back as zeros if the file grows again.</summary>
    public void SetSize(ulong size)
    {
        Drop(size, ulong.MaxValue);
        DurableSize = size;
    }

    private void Drop(ulong start, ulong end)
    {
        if (end <= start)
            return;
        foreach (Stretch known in _stretches.ToArray())
        {
            if (known.End <= start || known.Start >= end)
                continue;
            _stretches.Remove(known);
            if (known.Start < start)
                _stretches.Add(known.Part(known.Start, start));
            if (known.End > end)
                _stretches.Add(known.Part(end, known.End));
        }
        Tidy();
    }

    /// <summary>Sorts, and joins neighbours that hold no bytes: a large new file stays one stretch.</summary>
    private void Tidy()
    {
        _stretches.Sort((one, other) => one.Start.CompareTo(other.Start));
        for (int i = _stretches.Count - 1; i > 0; i--)
        {
            Stretch last = _stretches[i], before = _stretches[i - 1];
            if (last.Durable is null && before.Durable is null && before.End == last.Start)
            {
                _stretches[i - 1] = before with { End = last.End };
                _stretches.RemoveAt(i);
            }
        }
    }
}
