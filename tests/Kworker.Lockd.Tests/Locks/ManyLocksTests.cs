using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>A million locks: what they weigh, and that an answer among them costs no more than the tree is deep.</summary>
public sealed class ManyLocksTests(ITestOutputHelper output)
{
    private const int Million = 1_000_000;

    [Theory]
    [InlineData(Shape.OneFileOneOwner, 105)]
    [InlineData(Shape.ManyFilesOneOwner, 300)]
    public void A_million_locks_are_held_and_found(Shape shape, int mostBytes) => Run(shape, mostBytes);

    [Fact]
    [Trait("Run", "full")]
    public void A_million_locks_of_a_million_owners_are_held_and_found() => Run(Shape.OneFileManyOwners, 220);

    private void Run(Shape shape, int mostBytes)
    {
        var table = new LockTable();
        var one = new TestOwner(0);
        // What is the caller's own to keep (keys, owners) is made before, so that the table alone is weighed.
        LockOwner[] owners = shape == Shape.OneFileManyOwners ? [.. Enumerable.Range(1, Million).Select(number => new TestOwner(number))] : [];
        LockFileKey[] files = shape == Shape.ManyFilesOneOwner ? [.. Enumerable.Range(0, Million).Select(number => Key(number))] : [Key(0)];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < Million; i++)
        {
            // Scattered, not in order; every second byte, so that they stay apart.
            ulong at = (ulong)(i * 514_229L % Million) * 2;
            LockOutcome outcome = table.Lock(
                files.Length == 1 ? files[0] : files[i], owners.Length == 0 ? one : owners[i], LockKind.Write, new LockRange(at, at), out _);
            Assert.Equal(LockOutcome.Granted, outcome);
        }
        TimeSpan taking = Stopwatch.GetElapsedTime(started);
        long bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / Million;
        Assert.Equal(Million, table.Count);
        Assert.InRange(bytes, 0, mostBytes);

        // A refusal behind all of one's own locks, and one in the middle of others': neither walks past them.
        var other = new TestOwner(-1);
        Assert.Equal(LockOutcome.Granted, table.Lock(files[0], other, LockKind.Write, new LockRange(3 * Million, 3 * Million), out _));
        started = Stopwatch.GetTimestamp();
        const int Asked = 10_000;
        for (int i = 0; i < Asked; i++)
        {
            Assert.False(table.Test(files[0], one, LockKind.Write, LockRange.All, out LockConflict conflict));
            Assert.NotNull(conflict.Owner);
        }
        TimeSpan asking = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"{shape}: {bytes} bytes a lock; taking one {taking.TotalNanoseconds / Million:F0} ns, refusing one {asking.TotalNanoseconds / Asked:F0} ns");

        started = Stopwatch.GetTimestamp();
        table.ReleaseOwner(one);
        foreach (LockOwner owner in owners)
            table.ReleaseOwner(owner);
        table.ReleaseOwner(other);
        output.WriteLine($"releasing all: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.FileCount);
    }

    private static LockFileKey Key(int number)
    {
        Span<byte> bytes = stackalloc byte[32]; // as long as a handle of a local file
        BitConverter.TryWriteBytes(bytes, number);
        return new LockFileKey(bytes);
    }

    public enum Shape
    {
        OneFileOneOwner,
        OneFileManyOwners,
        ManyFilesOneOwner,
    }
}
