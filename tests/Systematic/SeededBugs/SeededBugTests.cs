namespace Kworker.Systematic;

/// <summary>The explorer is worth what it finds: small concurrent code with a known bug must fail soon, and the same code put right must not.</summary>
public sealed class SeededBugTests
{
    private const int Enough = 500;

    /// <param name="scenario">It is told whether it is to be wrong.</param>
    /// <param name="schedules">In how many the wrong one must be found, and the right one must not.</param>
    internal static void Finds(Action<Scenario, bool> scenario, int schedules = Enough)
    {
        Assert.NotNull(Explorer.Find(s => scenario(s, true), schedules, horizon: 20, out int tried));
        TestContext.Current.TestOutputHelper?.WriteLine($"found by schedule {tried}");
        Assert.Null(Explorer.Find(s => scenario(s, false), schedules, horizon: 20, out _));
    }

    [Fact]
    public void A_lost_update() => Finds((scenario, wrong) =>
    {
        int count = 0;
        void Add()
        {
            if (wrong)
                Seam.Write(ref count, Seam.Read(in count) + 1);
            else
                Seam.Increment(ref count);
        }

        var other = scenario.Run("other", Add);
        Add();
        other.Join();
        Assert.Equal(2, count);
    });

    [Fact]
    public void A_wake_up_between_the_look_and_the_sleep() => Finds((scenario, wrong) =>
    {
        int ready = 0, sleeping = 0;
        Parker? sleeper = null;
        var other = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            if (wrong)
            {
                if (Seam.Read(in ready) != 0)
                    return;
                Seam.Write(ref sleeping, 1);
                Parker.Current.Park();
            }
            else
            {
                Seam.Write(ref sleeping, 1);
                while (Seam.Read(in ready) == 0)
                    Parker.Current.Park();
            }
        });
        Seam.Write(ref ready, 1);
        if (Seam.Read(in sleeping) != 0)
            sleeper!.Unpark();
        other.Join();
    });

    [Fact]
    public void A_stack_whose_node_came_back() => Finds((scenario, wrong) =>
    {
        var stack = new Stack(wrong);
        for (int i = 0; i < 3; i++)
            stack.Push(new Node());
        var first = scenario.Run("pops one", () => stack.Pop());
        var second = scenario.Run("pops two, gives one back", () =>
        {
            Node? a = stack.Pop();
            Node? b = stack.Pop();
            if (a is not null)
                stack.Push(a);
            if (b is not null)
                b.Next = b; // it is the popper's now
        });
        first.Join();
        second.Join();
        int left = 0;
        while (stack.Pop() is not null)
            Assert.InRange(++left, 1, 3);
    });

    [Fact]
    public void Two_locks_in_two_orders() => Finds((scenario, wrong) =>
    {
        var locks = new Locks();
        var other = scenario.Run("b, a", () =>
        {
            ref Spinlock first = ref (wrong ? ref locks.B : ref locks.A);
            ref Spinlock second = ref (wrong ? ref locks.A : ref locks.B);
            first.Enter();
            second.Enter();
            second.Exit();
            first.Exit();
        });
        locks.A.Enter();
        locks.B.Enter();
        locks.B.Exit();
        locks.A.Exit();
        other.Join();
    });

    [Fact]
    public void A_completion_whose_timeout_forgets_that_it_was_given() => Finds((scenario, wrong) =>
    {
        // What Completion would be if the end of the time did not claim the waiter: the giver's completion is lost.
        int state = 0; // 1 waiting, 2 given, 3 timed out
        int kept = 0;
        Parker? sleeper = null;
        bool got = false;
        Seam.Write(ref state, 1);
        var waiter = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            Parker.Current.Park(5);
            if (wrong)
            {
                got = Seam.Read(in state) == 2;
                Seam.Write(ref state, 3);
            }
            else
            {
                got = Seam.CompareExchange(ref state, 3, 1) == 2;
            }
        });
        if (Seam.CompareExchange(ref state, 2, 1) == 1)
            sleeper?.Unpark();
        else
            kept = 1;
        waiter.Join();
        Assert.True(got ^ kept == 1);
    });

    [Fact]
    public void A_seed_repeats_its_schedule()
    {
        static void Body(Scenario scenario)
        {
            var completion = new Completion();
            var waiter = scenario.Run("waiter", () => completion.Wait(TimeSpan.FromMilliseconds(3)));
            completion.Complete();
            waiter.Join();
        }

        var different = new HashSet<int>();
        for (int seed = 0; seed < 40; seed++)
        {
            int once = Explorer.RunOne(Body, seed, expectedSteps: 100, horizon: 20, traces: false).Fingerprint;
            Assert.Equal(once, Explorer.RunOne(Body, seed, expectedSteps: 100, horizon: 20, traces: false).Fingerprint);
            different.Add(once);
        }

        Assert.True(different.Count > 10, $"{different.Count} different schedules of 40");
    }

    private sealed class Locks
    {
        internal Spinlock A;
        internal Spinlock B;
    }

    private sealed class Node
    {
        internal Node? Next;
    }

    private sealed class Stack(bool wrong)
    {
        private Node? _top;
        private Spinlock _lock;

        internal void Push(Node node)
        {
            Node? top;
            do
            {
                top = Seam.Read(in _top);
                node.Next = top;
            }
            while (Seam.CompareExchange(ref _top, node, top) != top);
        }

        internal Node? Pop()
        {
            if (!wrong)
                _lock.Enter();
            Node? top;
            do
            {
                top = Seam.Read(in _top);
            }
            while (top is not null && Seam.CompareExchange(ref _top, top.Next, top) != top);
            if (!wrong)
                _lock.Exit();
            return top;
        }
    }
}
