using System.Diagnostics;

namespace Kworker;

/// <summary>
/// Who waits for whom, among those for whom somebody can wait: runs of work items, and kthreads. It is asked before each flush, cancel-sync, drain or stop that
/// a work function or a kthread is about to wait in, and at no other time: work that waits for nothing costs nothing.
/// </summary>
/// <remarks>
/// <para>
/// A <em>waiter</em> is a run of a work item in a recorded wait (the run waits, not a thread, so it is the same through awaits) or a kthread, and has one or
/// several recorded waits, all of which must end before it goes on. The run of an async function is an object of its own; that of a plain one is used for others
/// afterwards, but its waits have ended by then. A wait has a target; the target says which waiters it depends on.
/// </para>
/// <para>
/// <b>What is found.</b> Those who can never go on are the largest set in which each has a wait whose target is stuck if all of the set are. So the search
/// begins with all that the caller depends on, directly or through others, takes out whoever has no such wait, and repeats that until nobody leaves. If the
/// caller is left, the wait that it wants closes a cycle. (A place among a queue's <c>MaxActive</c> comes free when any one of the active items ends, so an
/// inactive item is stuck only when all of them are: a search for a mere path would report too much.)
/// </para>
/// <para>
/// <b>No false report.</b> Waits are recorded and searched under one lock, so none begins during a search. One that ends meanwhile is not seen, or is seen
/// and was there when the search began. And from a set like the above nobody can leave: the first to do so would need the end of a wait that depends on
/// the others. So it is no matter that the locks of what is looked at are taken one after the other.
/// </para>
/// <para>
/// <b>No cycle is missed.</b> Only a new wait can close a cycle of waits, and each is searched after it has been recorded.
/// </para>
/// Lock order: this lock, then the run lock or a kthread worker's. Never asked with a lock held.
/// </remarks>
internal static class WaitGraph
{
    // All of these: lock, s_lock.
    private static Spinlock s_lock;
    private static Dictionary<object, Wait>? s_waits; // by waiter: a list of its waits
    private static long s_reports;

    /// <summary>
    /// Records that the calling run or kthread is about to wait for <paramref name="target"/>. Null when the caller is neither: nobody can wait for it.
    /// The caller waits, and calls <see cref="End"/> with what it was given when the wait is over.
    /// </summary>
    /// <exception cref="DeadlockException">The wait would never end. Nothing is recorded.</exception>
    internal static Wait? Begin(WaitTarget? target) => Begin(target, isQuestion: false);

    /// <summary>
    /// Asks whether a wait of the calling run or kthread would never end, without recording it: before something is changed that would be hard to undo.
    /// </summary>
    /// <exception cref="DeadlockException">The wait would never end.</exception>
    internal static void Check(WaitTarget? target) => Begin(target, isQuestion: true);

    /// <inheritdoc cref="Check"/>
    internal static void CheckAsync(WaitTarget? target)
    {
        if (CallerAwaits)
            Check(target);
    }

    private static Wait? Begin(WaitTarget? target, bool isQuestion)
    {
        if (target is null || CurrentWaiter is not { } waiter)
            return null;
        var wait = new Wait(waiter, target, Listeners.Stacks ? StackText.Capture() : null);
        s_lock.Enter();
        Add(wait);
        List<Wait>? cycle = Search(wait, out Waiters reached);
        if (cycle is not null || isQuestion)
            Remove(wait);
        s_lock.Exit();
        reached.CarryOut();
        if (cycle is null)
            return wait;
        var report = new DeadlockException([.. cycle.Select(static link => link.ToLink())]);
        Interlocked.Increment(ref s_reports);
        TracePoints.DeadlockReported(report);
        throw report;
    }

    /// <summary>
    /// As <see cref="Begin(WaitTarget)"/>, for a call that gives a task. Only an async function is taken to await it there and then; a plain one cannot, and may well leave the
    /// task to others and return: that is no wait of its run.
    /// </summary>
    internal static Wait? BeginAsync(WaitTarget? target) => CallerAwaits ? Begin(target) : null;

    /// <summary>Whether the caller is one for whom somebody can wait: else nothing need be made for <see cref="Begin(WaitTarget)"/>.</summary>
    internal static bool CallerCounts => Work.Current is not null || Kthread.Current is not null;

    private static bool CallerAwaits => Work.Current is { IsAsync: true } || SynchronizationContext.Current is KthreadContext;

    /// <summary>Waits refused so far, of all systems.</summary>
    internal static long Reports => Volatile.Read(ref s_reports);

    /// <summary>The wait is over.</summary>
    internal static void End(Wait? wait)
    {
        if (wait is null)
            return;
        s_lock.Enter();
        Remove(wait);
        s_lock.Exit();
    }

    /// <summary>
    /// The run that calls, or the kthread. The thread of a kthread worker stands for the item that it runs: what that waits for, everything behind it does.
    /// </summary>
    private static object? CurrentWaiter
    {
        get
        {
            if (PoolWorker.Current is not { CurrentWork: { } work } worker)
                return Kthread.Current;
            RunLock runLock = worker.Pool.System.RunLock;
            runLock.EnterToLook();
            WorkRun? run = work.FindRun();
            runLock.ExitFromLook();
            return run;
        }
    }

    /// <summary>Whether a wait of <paramref name="waiter"/> is recorded: for tests, whose threads wait for each other to wait.</summary>
    internal static bool Waits(object waiter)
    {
        s_lock.Enter();
        bool waits = s_waits?.ContainsKey(waiter) ?? false;
        s_lock.Exit();
        return waits;
    }

    /// <summary>The recorded waits of a system's items, and of its kthreads.</summary>
    internal static WaitSnapshot[] Snapshot(KworkerSystem system)
    {
        var waits = new List<Wait>();
        s_lock.Enter();
        if (s_waits is not null)
        {
            foreach (Wait first in s_waits.Values)
            {
                for (Wait? wait = first; wait is not null; wait = wait.Next)
                    waits.Add(wait);
            }
        }

        s_lock.Exit();
        // A run that ends meanwhile has lost its item: it waits no more.
        return [.. waits.Where(wait => IsOf(wait.Waiter, system)).Select(static wait => wait.ToSnapshot()).OfType<WaitSnapshot>()];
    }

    private static bool IsOf(object waiter, KworkerSystem system) => waiter switch
    {
        WorkRun { Queue: { } queue } => ReferenceEquals(queue.OwningSystem, system),
        Kthread kthread => ReferenceEquals(kthread.System, system),
        _ => false,
    };

    private static void Add(Wait wait)
    {
        s_waits ??= [];
        if (s_waits.TryGetValue(wait.Waiter, out Wait? others))
            wait.Next = others;
        s_waits[wait.Waiter] = wait;
    }

    private static void Remove(Wait wait)
    {
        Wait first = s_waits![wait.Waiter];
        if (ReferenceEquals(first, wait))
        {
            if (wait.Next is null)
                s_waits.Remove(wait.Waiter);
            else
                s_waits[wait.Waiter] = wait.Next;
            return;
        }

        while (!ReferenceEquals(first.Next, wait))
            first = first.Next!;
        first.Next = wait.Next;
    }

    /// <summary>The cycle that <paramref name="wait"/> closes; null when it closes none.</summary>
    private static List<Wait>? Search(Wait wait, out Waiters reached)
    {
        s_lock.AssertHeld();
        reached = new Waiters(s_waits!);
        wait.Target.AddWaiters(reached);
        if (reached.IsEmpty)
            return null; // as a rule: what is waited for waits for nobody
        reached.Add(wait.Waiter);
        for (int i = 0; i < reached.Count; i++)
        {
            foreach (Wait next in reached.WaitsOf(i))
                next.Target.AddWaiters(reached);
        }

        // Those that were reached last depend on the fewest: so a chain is taken apart in one round.
        bool changed;
        do
        {
            changed = false;
            for (int i = reached.Count - 1; i >= 0; i--)
            {
                if (reached.Has(i) && !IsStuck(reached, i))
                {
                    reached.Remove(i);
                    changed = true;
                }
            }
        }
        while (changed);
        return reached.Has(wait.Waiter) ? Trail(wait, reached) : null;
    }

    private static bool IsStuck(Waiters reached, int index)
    {
        foreach (Wait wait in reached.WaitsOf(index))
        {
            if (wait.Target.IsStuck(reached))
                return true;
        }

        return false;
    }

    /// <summary>From the caller along stuck waits until somebody comes again.</summary>
    private static List<Wait> Trail(Wait wait, Waiters stuck)
    {
        var trail = new List<Wait>();
        var seen = new HashSet<object>();
        Wait? at = wait;
        while (at is not null)
        {
            trail.Add(at);
            seen.Add(at.Waiter);
            var next = new Waiters(s_waits!);
            at.Target.AddWaiters(next);
            at = null;
            for (int i = 0; i < next.Count && at is null; i++)
            {
                if (!stuck.Has(next[i]))
                    continue;
                if (ReferenceEquals(next[i], wait.Waiter))
                    return trail;
                if (!seen.Contains(next[i]))
                    at = next.WaitsOf(i).FirstOrDefault(link => link.Target.IsStuck(stuck));
            }
        }

        return trail;
    }

    /// <summary>A recorded wait.</summary>
    [DebuggerDisplay("{Waiter}: {Target.Description,nq}")]
    internal sealed class Wait(object waiter, WaitTarget target, string? stack)
    {
        /// <summary>The next of the same waiter. Lock: the graph's.</summary>
        internal Wait? Next;

        internal object Waiter => waiter;

        internal WaitTarget Target => target;

        /// <summary>Null when it is over, and what waited has gone.</summary>
        internal WaitSnapshot? ToSnapshot() => waiter switch
        {
            WorkRun { Work: { } work, Queue: { } queue } => new(work.FunctionName, $"workqueue {queue.Name}", target.Description, stack),
            Kthread { Worker: { } worker } => new(worker.CurrentFunction, $"kthread worker {worker.Name}", target.Description, stack),
            Kthread kthread => new($"kthread {kthread.Name}", null, target.Description, stack),
            _ => null,
        };

        internal DeadlockLink ToLink() => waiter switch
        {
            WorkRun { Work: { } work, Queue: { } queue } => new(work.FunctionName, $"workqueue {queue.Name}", target.Description, Origins.Of(work), stack),
            Kthread { Worker: { } worker } => new(worker.CurrentFunction, $"kthread worker {worker.Name}", target.Description, worker.CurrentOrigin, stack),
            _ => new($"kthread {(waiter as Kthread)?.Name}", null, target.Description, null, stack),
        };
    }

    /// <summary>A set of waiters in the order in which they were added. One who is in no recorded wait cannot be stuck, and is not added.</summary>
    internal sealed class Waiters
    {
        private readonly Dictionary<object, Wait> _waits;
        private readonly List<object> _list = [];
        private readonly HashSet<object> _set = [];
        private readonly HashSet<RunLock> _looked = [];

        internal Waiters(Dictionary<object, Wait> waits) => _waits = waits;

        internal bool IsEmpty => _list.Count == 0;

        internal int Count => _list.Count;

        internal object this[int index] => _list[index];

        /// <summary>All runs that are in a recorded wait.</summary>
        internal IEnumerable<WorkRun> AllRuns => _waits.Keys.OfType<WorkRun>();

        /// <summary>The runs of the set.</summary>
        internal IEnumerable<WorkRun> Runs => _set.OfType<WorkRun>();

        /// <summary>Takes a system's run lock for a look, until what it gives is disposed of.</summary>
        internal Look LookAt(KworkerSystem system)
        {
            _looked.Add(system.RunLock);
            return new Look(system.RunLock);
        }

        /// <summary>After the graph's lock: what the looks have noted.</summary>
        internal void CarryOut()
        {
            foreach (RunLock runLock in _looked)
            {
                runLock.Enter();
                runLock.Exit();
            }
        }

        internal void Add(object waiter)
        {
            if (_waits.ContainsKey(waiter) && _set.Add(waiter))
                _list.Add(waiter);
        }

        internal bool Has(object waiter) => _set.Contains(waiter);

        internal bool Has(int index) => _set.Contains(_list[index]);

        internal void Remove(int index) => _set.Remove(_list[index]);

        internal IEnumerable<Wait> WaitsOf(int index)
        {
            for (Wait? wait = _waits[_list[index]]; wait is not null; wait = wait.Next)
                yield return wait;
        }
    }

    /// <summary>A run lock held for a look.</summary>
    internal readonly ref struct Look
    {
        private readonly RunLock _runLock;

        internal Look(RunLock runLock)
        {
            _runLock = runLock;
            runLock.EnterToLook();
        }

        public void Dispose() => _runLock.ExitFromLook();
    }
}
