using System.Runtime.Versioning;
using CsCheck;
using Kworker.Lockd.Locks;
using Microsoft.Win32.SafeHandles;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>The table gives the answers of the kernel: each owner is a descriptor of one file, with locks of its own (OFD locks).</summary>
[SupportedOSPlatform("linux")]
public sealed class KernelOracleTests
{
    private const int Owners = 4;
    private const int Bytes = 24;

    private sealed record Step(int What, int Owner, LockKind Kind, int Start, int Length, bool ToEnd);

    private static readonly Gen<Step[]> s_steps =
        Gen.Select(
            Gen.Int[0, 9], Gen.Int[0, Owners - 1], Gen.Bool, Gen.Int[0, Bytes - 1], Gen.Int[1, 10], Gen.Int[0, 9],
            (what, owner, write, start, length, end) =>
                new Step(what, owner, write ? LockKind.Write : LockKind.Read, start, length, end == 0)).Array[1, 80];

    [Theory]
    [InlineData(0UL)]
    [InlineData((ulong)long.MaxValue - Bytes + 1)]
    public void The_kernel_answers_the_same(ulong at) => s_steps.Sample(steps => Run(steps, at), iter: ModelRun.Times(1000));

    private static void Run(Step[] steps, ulong at)
    {
        string path = Path.GetTempFileName();
        LocalLocks[] kernel = [.. Enumerable.Range(0, Owners).Select(_ => LocalFiles.Open(path))];
        try
        {
            var table = new LockTable();
            var file = new LockFileKey("file"u8);
            TestOwner[] owners = [.. Enumerable.Range(0, Owners).Select(number => new TestOwner(number))];
            foreach (Step step in steps)
            {
                int end = step.Start + step.Length - 1;
                var range = new LockRange(at + (ulong)step.Start, step.ToEnd || end >= Bytes - 1 ? ulong.MaxValue : at + (ulong)end);
                TestOwner owner = owners[step.Owner];
                LocalLocks descriptor = kernel[step.Owner];
                switch (step.What)
                {
                    case < 3:
                        table.Unlock(file, owner, range);
                        Assert.True(descriptor.Clear(range));
                        break;
                    case < 5:
                        bool isFree = descriptor.Test(step.Kind, range, out LockConflict theirs);
                        Assert.Equal(isFree, table.Test(file, owner, step.Kind, range, out LockConflict ours));
                        if (!isFree)
                            AssertBothAreRight(table.Locks(file), owner, step.Kind, range, theirs, ours);
                        break;
                    default:
                        Assert.Equal(descriptor.Set(step.Kind, range, out _), table.Lock(file, owner, step.Kind, range, out _));
                        break;
                }
            }
            // What is held, byte by byte, as one who holds nothing sees it.
            using LocalLocks observer = LocalFiles.Open(path);
            var nobody = new TestOwner(-1);
            for (ulong i = 0; i < Bytes; i++)
            {
                var one = new LockRange(at + i, at + i);
                Assert.Equal(observer.Test(LockKind.Read, one, out _), table.Test(file, nobody, LockKind.Read, one, out _));
                Assert.Equal(observer.Test(LockKind.Write, one, out _), table.Test(file, nobody, LockKind.Write, one, out _));
            }
        }
        finally
        {
            Array.ForEach(kernel, descriptor => descriptor.Dispose());
            File.Delete(path);
        }
    }

    // Of several the kernel names whichever stands first in its list, we the one that begins first: both must be there.
    private static void AssertBothAreRight(
        IReadOnlyList<(LockOwner Owner, LockKind Kind, LockRange Range)> held, LockOwner asking, LockKind kind, LockRange range,
        LockConflict theirs, LockConflict ours)
    {
        var conflicts = held.Where(one => one.Owner != asking && one.Range.Overlaps(range) && (kind == LockKind.Write || one.Kind == LockKind.Write)).ToList();
        Assert.Contains(conflicts, one => one.Kind == theirs.Kind && one.Range == theirs.Range);
        Assert.Contains((ours.Owner!, ours.Kind, ours.Range), conflicts);
        Assert.Equal(conflicts[0].Range.Start, ours.Range.Start);
    }
}

/// <summary>Local files for tests.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LocalFiles(string path) : ILocalLockFiles
{
    private int _opened;

    public int Opened => Volatile.Read(ref _opened);

    public SafeFileHandle? Last { get; private set; }

    /// <summary>What opening fails with; null: it succeeds.</summary>
    public IOException? Failure { get; set; }

    public bool CanWrite { get; set; } = true;

    public static LocalLocks Open(string path) => new(Handle(path, FileAccess.ReadWrite), canWrite: true);

    public SafeFileHandle? Open(LockFileKey file, out bool canWrite)
    {
        canWrite = CanWrite;
        if (Failure is not null)
            throw Failure;
        Interlocked.Increment(ref _opened);
        return Last = Handle(path, canWrite ? FileAccess.ReadWrite : FileAccess.Read);
    }

    private static SafeFileHandle Handle(string path, FileAccess access) =>
        File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
}
