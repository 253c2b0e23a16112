namespace Kworker.Stress;

/// <summary>Many may queue an item, or one may keep all from it, to see that it stays as it was left. Nobody ever waits: who does not get in does something else.</summary>
internal sealed class Gate
{
    private const int Closed = -1;
    private int _inside;

    internal bool TryEnter()
    {
        int inside = Volatile.Read(ref _inside);
        while (inside != Closed)
        {
            int seen = Interlocked.CompareExchange(ref _inside, inside + 1, inside);
            if (seen == inside)
                return true;
            inside = seen;
        }

        return false;
    }

    internal void Leave() => Interlocked.Decrement(ref _inside);

    internal bool TryClose() => Interlocked.CompareExchange(ref _inside, Closed, 0) == 0;

    internal void Open() => Volatile.Write(ref _inside, 0);
}
