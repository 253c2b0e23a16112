namespace Kworker;

/// <summary>
/// Finds workers that block where the library cannot see it: a thread of its own looks at the managed pools every few milliseconds while anything runs in
/// them, and sleeps when nothing has for a second.
/// <para>
/// A worker that is at the same item as at the look before, while work waits, and whose thread sleeps, is counted out, and what it has taken ahead goes to
/// others; when its thread runs again, it is counted in. One that computes is never counted out, so CPU-bound items cause no extra workers.
/// </para>
/// Wake-up argument: a worker that leaves the pool's idle list calls <see cref="Poke"/> afterwards; the monitor says that it sleeps, and looks at the pools then.
/// </summary>
internal sealed class PoolMonitor(KworkerSystem system, WorkerPool[] pools) : IDisposable
{
    /// <summary>Milliseconds from look to look.</summary>
    private const int Period = 5;

    /// <summary>The same while somebody was asleep at one look, since two find what blocks; and while all that runs is found blocked: what waits is probably of the same kind.</summary>
    private const int UrgentPeriod = 1;

    private const int LooksBeforeSleep = 200;

    private readonly Lock _startLock = new();

    /// <summary>Its thread's; made with it, under the start lock, and not changed afterwards.</summary>
    private Parker? _parker;

    /// <summary>0 no thread yet, 1 looks, 2 sleeps until poked. 0 → 1 under the start lock; between 1 and 2 by interlocked operations.</summary>
    private int _state;

    private long _looks;

    /// <summary>1 at the system's end.</summary>
    private int _isDisposed;

    /// <summary>How often it has looked; for tests.</summary>
    internal long Looks => Interlocked.Read(ref _looks);

    /// <summary>A worker is about to run. From any thread, without a lock.</summary>
    internal void Poke()
    {
        if (Seam.Read(in _state) == 1)
            return;
        if (Seam.CompareExchange(ref _state, 1, 2) == 2)
            _parker!.Unpark();
        else
            Start();
    }

    /// <summary>Its thread ends soon.</summary>
    public void Dispose()
    {
        lock (_startLock)
            Seam.Write(ref _isDisposed, 1);
        _parker?.Unpark();
    }

    private void Start()
    {
        lock (_startLock)
        {
            if (_state != 0 || _isDisposed != 0)
                return;
            _parker = Parker.ForNewThread(null);
            try
            {
                Seam.Start(new Thread(static state => ((PoolMonitor)state!).Main()) { IsBackground = true, Name = "kworker/monitor" }, this);
                Seam.Write(ref _state, 1);
            }
            catch (OutOfMemoryException e)
            {
                system.Log($"kworker/monitor: no thread: {e.Message}"); // the next poke tries again
            }
        }
    }

    private void Main()
    {
        Parker parker = _parker!;
        parker.Adopt();
        int idleLooks = 0;
        while (Seam.Read(in _isDisposed) == 0)
        {
            PoolActivity activity = Look();
            idleLooks = activity == PoolActivity.None ? idleLooks + 1 : 0;
            if (idleLooks < LooksBeforeSleep)
            {
                parker.Park(activity == PoolActivity.Blocked ? UrgentPeriod : Period);
                continue;
            }

            Seam.CompareExchange(ref _state, 2, 1); // a full fence: who starts a worker from here on pokes
            if (Look() == PoolActivity.None)
            {
                while (Seam.Read(in _state) == 2 && Seam.Read(in _isDisposed) == 0)
                    parker.Park();
            }

            Seam.CompareExchange(ref _state, 1, 2);
            idleLooks = 0;
        }

        parker.Leave();
    }

    private PoolActivity Look()
    {
        Interlocked.Increment(ref _looks);
        var activity = PoolActivity.None;
        foreach (WorkerPool pool in pools)
            activity = (PoolActivity)Math.Max((int)activity, (int)pool.Look());
        return activity;
    }
}

/// <summary>What the monitor sees of a pool.</summary>
internal enum PoolActivity
{
    /// <summary>All its workers idle.</summary>
    None,

    /// <summary>Some do not.</summary>
    Some,

    /// <summary>Work waits, and some that should do it sleep, or were found blocked, and more were let in for that reason.</summary>
    Blocked,
}
