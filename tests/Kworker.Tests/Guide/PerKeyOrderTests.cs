using System.Collections.Concurrent;

namespace Kworker.Tests.Guide;

public sealed class PerKeyOrderTests : GuideTests
{
    [Fact]
    public async Task Each_account_has_its_order_and_no_account_waits_for_another()
    {
        const int Steps = 1000;
        using var queue = new Workqueue("accounts");
        Account[] accounts = [.. Enumerable.Range(0, 8).Select(_ => new Account(queue))];
        int[] next = new int[accounts.Length];
        int outOfOrder = 0;
        for (int step = 0; step < Steps; step++)
        {
            for (int i = 0; i < accounts.Length; i++)
            {
                int account = i;
                int due = step;
                accounts[i].Post(() =>
                {
                    if (next[account]++ != due)
                        Interlocked.Increment(ref outOfOrder);
                });
            }
        }
        await queue.DrainAsync();
        Assert.Equal(0, outOfOrder);
        Assert.All(next, static count => Assert.Equal(Steps, count));

        // One that blocks holds up its own account only; one that throws holds up nobody.
        var gate = new Completion();
        var other = new Completion();
        accounts[0].Post(() => gate.Wait());
        accounts[0].Post(static () => throw new InvalidOperationException("overdrawn"));
        var behind = new Completion();
        accounts[0].Post(behind.Complete);
        accounts[1].Post(other.Complete);
        await other.WaitAsync();
        Assert.False(behind.IsDone);
        queue.UnhandledException += static (_, _) => { };
        gate.Complete();
        await behind.WaitAsync();
    }

    // guide: per-key-order
    public sealed class Account
    {
        private readonly Workqueue _queue;
        private readonly Work<Account> _next;
        private readonly ConcurrentQueue<Action> _steps = new();

        public Account(Workqueue queue)
        {
            _queue = queue;
            _next = new Work<Account>(this, static account => account.RunNext());
        }

        public void Post(Action step)
        {
            _steps.Enqueue(step);
            _queue.Queue(_next); // false if it is queued already: then it will come to this step, too
        }

        private void RunNext()
        {
            if (!_steps.TryDequeue(out Action? step))
                return;
            if (!_steps.IsEmpty)
                _queue.Queue(_next); // it runs again when this run is over, not before
            step();
        }
    }
    // guide end

    [Fact]
    public async Task An_ordered_queue_does_one_thing_after_the_other()
    {
        var lines = new List<string>();

        // guide: ordered
        await using Workqueue journal = Workqueue.Ordered("journal");
        foreach (string line in new[] { "one", "two", "three" })
            journal.Queue(new Work<string>(line, lines.Add));
        await journal.FlushAsync();
        // guide end

        Assert.Equal(["one", "two", "three"], lines);
    }
}
