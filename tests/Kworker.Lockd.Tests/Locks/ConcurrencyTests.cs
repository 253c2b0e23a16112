using System.Collections.Concurrent;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>Many threads at once: no two locks that conflict are ever held, nobody who could go on waits, and nothing is left.</summary>
public sealed class ConcurrencyTests
{
    private const int Files = 3;
    private const int Bytes = 16;
    private const int Threads = 6;

    [Fact]
    public async Task No_two_conflicting_locks_are_ever_held()
    {
        await using var table = new LockTable();
        var keeper = new Keeper();
        int rounds = ModelRun.Times(2000);
        var failures = new ConcurrentQueue<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            try
            {
                Work(table, keeper, new TestOwner(number), new Random(number), rounds);
            }
            catch (Exception exception)
            {
                failures.Enqueue(exception);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Empty(failures);
        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.WaitingCount);
        Assert.Equal(0, table.FileCount);
        Assert.True(keeper.Deadlocks > 0 && keeper.Waited > 0, "The test did not come to what it is for.");
    }

    // Each thread is an owner that waits for one lock at a time, as a process does. It enters what it holds after it has it, and takes it out before it gives it up.
    private static void Work(LockTable table, Keeper keeper, TestOwner owner, Random random, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            int count = random.Next(1, 4);
            for (int i = 0; i < count; i++)
            {
                int file = random.Next(Files);
                int start = random.Next(Bytes);
                int end = random.Next(start, Bytes);
                LockKind kind = random.Next(2) == 0 ? LockKind.Read : LockKind.Write;
                var range = new LockRange((ulong)start, (ulong)end);
                if (random.Next(4) == 0)
                {
                    keeper.Leave(file, owner.Svid, start, end);
                    table.Unlock(new LockFileKey([(byte)file]), owner, range);
                    continue;
                }
                keeper.Weaken(file, owner.Svid, kind, start, end);
                var request = new TestRequest(new LockFileKey([(byte)file]), owner, kind, range);
                LockOutcome outcome = table.Lock(request, out _);
                if (outcome == LockOutcome.Deadlock)
                {
                    Interlocked.Increment(ref keeper.Deadlocks);
                    break;
                }
                if (outcome == LockOutcome.Blocked)
                {
                    Interlocked.Increment(ref keeper.Waited);
                    if (random.Next(8) == 0 && table.Cancel(request))
                        continue;
                    request.Told.Wait(); // Ends, or the test does not: deadlocks are refused.
                    Assert.True(request.IsGranted);
                }
                keeper.Enter(file, owner.Svid, kind, start, end);
            }
            for (int file = 0; file < Files; file++)
                keeper.Leave(file, owner.Svid, 0, Bytes - 1);
            table.ReleaseOwner(owner);
        }
    }

    private sealed class Keeper
    {
        private readonly LockKind?[,,] _held = new LockKind?[Files, Threads, Bytes];

        public int Deadlocks;
        public int Waited;

        public void Enter(int file, int owner, LockKind kind, int start, int end)
        {
            lock (_held)
            {
                for (int at = start; at <= end; at++)
                {
                    for (int other = 0; other < Threads; other++)
                    {
                        if (other != owner && _held[file, other, at] is { } held && (held == LockKind.Write || kind == LockKind.Write))
                            Assert.Fail($"byte {at} of file {file}: {owner} has {kind}, {other} has {held}");
                    }
                    _held[file, owner, at] = kind;
                }
            }
        }

        public void Leave(int file, int owner, int start, int end)
        {
            lock (_held)
            {
                for (int at = start; at <= end; at++)
                    _held[file, owner, at] = null;
            }
        }

        // A lock that turns from write to read lets others in before this thread comes back.
        public void Weaken(int file, int owner, LockKind kind, int start, int end)
        {
            if (kind == LockKind.Write)
                return;
            lock (_held)
            {
                for (int at = start; at <= end; at++)
                {
                    if (_held[file, owner, at] == LockKind.Write)
                        _held[file, owner, at] = LockKind.Read;
                }
            }
        }
    }
}
