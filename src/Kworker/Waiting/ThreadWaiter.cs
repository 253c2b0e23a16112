namespace Kworker;

/// <summary>A wait of the calling thread. Each thread keeps one for reuse; a wait inside another's condition gets one of its own.</summary>
internal sealed class ThreadWaiter : Waiter
{
    [ThreadStatic]
    private static ThreadWaiter? t_cached;

    private readonly Parker _parker = Parker.Current;

    /// <summary>0 → 1 by who claimed it; 1 → 0 by the owner.</summary>
    private int _resumed;

    internal static ThreadWaiter Rent()
    {
        ThreadWaiter waiter = t_cached ?? new ThreadWaiter();
        t_cached = null;
        return waiter;
    }

    internal void Return()
    {
        Finish();
        t_cached = this;
    }

    internal override void Resume()
    {
        Parker parker = _parker; // once resumed, the waiter is its owner's
        Seam.Write(ref _resumed, 1);
        parker.Unpark();
    }

    /// <summary>
    /// Sleeps until claimed and resumed. The waiter is armed or claimed, so somebody will: whoever makes true what it waits for, and
    /// the park keeps a wake-up that comes first. A worker tells its pool before it sleeps, so that another goes on with the work.
    /// </summary>
    internal void Block()
    {
        if (Seam.Read(in _resumed) == 0)
        {
            using (Worker.Blocking())
            {
                while (Seam.Read(in _resumed) == 0)
                    _parker.Park();
            }
        }

        Seam.Write(ref _resumed, 0);
        IsClaimed = false;
    }
}
