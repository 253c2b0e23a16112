namespace Kworker;

/// <summary>
/// A wait of the calling thread. Each thread keeps one for reuse; a wait inside another's condition gets one of its own.
/// <para>
/// State word: <c>Awake</c> (the owner runs, or looks) → <c>Asleep</c> (by the owner, which will park) → <c>Resumed</c> (by who claimed it, who then
/// unparks) → <c>Awake</c> (by the owner); or <c>Awake</c> → <c>Resumed</c> → <c>Awake</c> when it was resumed before it slept: then nobody need be woken.
/// Wake-up argument: both steps to and from <c>Asleep</c> are atomic on one word, so either the owner sees <c>Resumed</c> and does not sleep, or
/// who resumes sees <c>Asleep</c> and unparks, and the park keeps an unpark that comes first.
/// </para>
/// </summary>
internal sealed class ThreadWaiter : Waiter
{
    private const int Awake = 0;
    private const int Asleep = 1;
    private const int Resumed = 2;

    [ThreadStatic]
    private static ThreadWaiter? t_cached;

    private readonly Parker _parker = Parker.Current;

    private int _state;

    /// <summary>When who claimed it found it asleep; 0 when it did not. Written by them before they resume it, read and cleared by the owner.</summary>
    private long _resumedAt;

    private AdaptiveSpin _spin = new();

    internal static ThreadWaiter Rent()
    {
        ThreadWaiter waiter = t_cached ?? new ThreadWaiter();
        t_cached = null;
        return waiter;
    }

    /// <summary>By the owner, when a wait that was begun is over.</summary>
    internal void Return()
    {
        Finish();
        ReturnUnused();
    }

    /// <summary>By the owner, when no wait was begun.</summary>
    internal void ReturnUnused() => t_cached = this;

    /// <summary>Whether it may look about before it sleeps; not where a test sees who sleeps.</summary>
    internal bool MaySpin => !_parker.IsObserved;

    /// <summary>How long this thread looks before it sleeps.</summary>
    internal ref AdaptiveSpin Spin => ref _spin;

    internal override void Resume()
    {
        Parker parker = _parker; // once resumed, the waiter is its owner's
        if (Seam.Read(in _state) == Asleep)
            _resumedAt = AdaptiveSpin.Now;
        if (Seam.Exchange(ref _state, Resumed) == Asleep)
            parker.Unpark();
    }

    /// <summary>
    /// Waits until claimed and resumed. The waiter is armed or claimed, so somebody will: whoever makes true what it waits for.
    /// </summary>
    internal void Block()
    {
        _spin.Begin();
        while (Seam.Read(in _state) != Resumed)
        {
            if (!MaySpin || !_spin.Next())
            {
                BlockAsleep();
                return;
            }
        }

        _spin.Came();
        BecomeAwake();
    }

    /// <summary>As <see cref="Block"/>, for who has looked long enough, from <see cref="AdaptiveSpin.Begin"/> on, before it stood in line.</summary>
    internal void BlockAsleep()
    {
        if (Seam.Read(in _state) == Resumed)
            _spin.Came();
        else
            Sleep();
        BecomeAwake();
    }

    /// <summary>A worker tells its pool before it sleeps, so that another goes on with the work.</summary>
    private void Sleep()
    {
        _spin.Sleeping();
        _resumedAt = 0;
        using (Worker.Blocking())
        {
            if (Seam.CompareExchange(ref _state, Asleep, Awake) == Awake)
            {
                do
                    _parker.Park();
                while (Seam.Read(in _state) != Resumed);
            }
        }

        if (_resumedAt != 0)
            _spin.Woken(_resumedAt);
        else
            _spin.Came();
    }

    private void BecomeAwake()
    {
        Seam.Write(ref _state, Awake);
        IsClaimed = false;
    }
}
