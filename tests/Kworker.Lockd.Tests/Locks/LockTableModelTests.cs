using CsCheck;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>The table gives the answers of a model that knows single bytes only.</summary>
public sealed class LockTableModelTests
{
    private const int Owners = 4;
    private const int Bytes = 24;
    private const int Files = 2;

    internal sealed record Step(int What, int File, int Owner, LockKind Kind, int Start, int Length, bool ToEnd)
    {
        public int End => ToEnd ? Bytes - 1 : Math.Min(Bytes - 1, Start + Length - 1);
    }

    private static readonly Gen<Step[]> s_steps =
        Gen.Select(
            Gen.Int[0, 99], Gen.Int[0, Files - 1], Gen.Int[0, Owners - 1], Gen.Bool, Gen.Int[0, Bytes - 1], Gen.Int[1, 10], Gen.Int[0, 9],
            (what, file, owner, write, start, length, end) =>
                new Step(what, file, owner, write ? LockKind.Write : LockKind.Read, start, length, end == 0)).Array[1, 80];

    // The model's byte 0 stands at the base; its last one is the end of the file where the base says so.
    public static TheoryData<ulong> Bases => [0, (1UL << 63) - 12, ulong.MaxValue - (Bytes - 1)];

    private static LockFileKey Key(int file) => new([(byte)file]);

    [Theory]
    [MemberData(nameof(Bases))]
    public void Locks_split_merge_and_conflict_as_bytes_do(ulong at) =>
        s_steps.Sample(steps => Run(steps, at, waits: false), iter: ModelRun.Times(500));

    [Theory]
    [MemberData(nameof(Bases))]
    public void Requests_wait_in_line_and_cycles_are_refused(ulong at) =>
        s_steps.Sample(steps => Run(steps, at, waits: true), iter: ModelRun.Times(800));

    private static void Run(Step[] steps, ulong at, bool waits)
    {
        var table = new LockTable();
        var model = new ByteModel(Owners, Bytes, Files);
        TestOwner[] owners = [.. Enumerable.Range(0, Owners).Select(number => new TestOwner(number))];
        var told = new List<TestRequest>();
        var requests = new Dictionary<int, TestRequest>();
        for (int i = 0; i < steps.Length; i++)
        {
            Step step = steps[i];
            var range = new LockRange(at + (ulong)step.Start, at + (ulong)step.End);
            List<(int Owner, LockKind Kind, int Start, int End)> conflicts =
                model.Conflicts(step.File, step.Owner, step.Kind, step.Start, step.End);
            told.Clear();
            int? granted = null;
            int? settle = null;
            switch (step.What)
            {
                case < 10:
                    Assert.Equal(conflicts.Count == 0, table.Test(Key(step.File), owners[step.Owner], step.Kind, range, out LockConflict found));
                    if (conflicts.Count > 0)
                        AssertIsFirst(conflicts, found, at);
                    break;
                case < 40:
                    table.Unlock(Key(step.File), owners[step.Owner], range);
                    model.Set(step.File, step.Owner, null, step.Start, step.End);
                    settle = step.File;
                    break;
                case < 45 when waits && requests.Count > 0:
                    {
                        (int id, TestRequest request) = requests.ElementAt(step.Start % requests.Count);
                        Assert.True(table.Cancel(request));
                        Assert.False(table.Cancel(request));
                        requests.Remove(id);
                        model.Line.RemoveAll(waiting => waiting.Id == id);
                        break;
                    }
                // With locks in both files the order in which they go would decide which request a cycle ends.
                case < 48 when !waits || !Enumerable.Range(0, Files).All(file => model.Runs(file).Any(run => run.Owner == step.Owner)):
                    table.ReleaseOwner(owners[step.Owner]);
                    foreach (ByteModel.Waiting gone in model.Line.Where(waiting => waiting.Owner == step.Owner).ToArray())
                    {
                        Assert.True(requests[gone.Id].IsReleased);
                        requests.Remove(gone.Id);
                        model.Line.Remove(gone);
                    }
                    told.RemoveAll(request => request.IsReleased);
                    Assert.True(owners[step.Owner].IsIdle);
                    for (int file = 0; file < Files; file++)
                        model.Set(file, step.Owner, null, 0, Bytes - 1);
                    (List<int> one, List<int> none) = model.Settle(0, null);
                    (List<int> two, List<int> nobody) = model.Settle(1, null);
                    AssertTold(told, requests, [.. one, .. two], [.. none, .. nobody], inOrder: false);
                    break;
                case < 75 when waits:
                    {
                        var waiting = new ByteModel.Waiting(i, step.File, step.Owner, step.Kind, step.Start, step.End);
                        var request = new TestRequest(Key(step.File), owners[step.Owner], step.Kind, range, told.Add);
                        LockOutcome outcome = table.Lock(request, out _);
                        if (conflicts.Count == 0)
                        {
                            Assert.Equal(LockOutcome.Granted, outcome);
                            granted = step.Owner;
                        }
                        else if (model.Reaches(waiting, step.Owner))
                        {
                            Assert.Equal(LockOutcome.Deadlock, outcome);
                        }
                        else
                        {
                            Assert.Equal(LockOutcome.Blocked, outcome);
                            requests.Add(i, request);
                            model.Line.Add(waiting);
                        }
                        break;
                    }
                default:
                    {
                        LockOutcome outcome = table.Lock(Key(step.File), owners[step.Owner], step.Kind, range, out LockConflict conflict);
                        Assert.Equal(conflicts.Count == 0 ? LockOutcome.Granted : LockOutcome.Denied, outcome);
                        if (conflicts.Count > 0)
                            AssertIsFirst(conflicts, conflict, at);
                        else
                            granted = step.Owner;
                        break;
                    }
            }
            if (granted is { } owner)
            {
                model.Set(step.File, owner, step.Kind, step.Start, step.End);
                settle = step.File;
            }
            if (settle is { } file2)
            {
                (List<int> grants, List<int> deadlocks) = model.Settle(file2, granted);
                AssertTold(told, requests, grants, deadlocks, inOrder: true);
            }
            AssertSame(table, model, owners, at);
        }
        foreach (TestOwner owner in owners)
            table.ReleaseOwner(owner);
        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.WaitingCount);
        Assert.Equal(0, table.FileCount);
        Assert.All(owners, owner => Assert.True(owner.IsIdle));
    }

    private static void AssertTold(List<TestRequest> told, Dictionary<int, TestRequest> requests, List<int> granted, List<int> deadlocks, bool inOrder)
    {
        TestRequest[] expected = [.. granted.Select(id => requests[id])];
        TestRequest[] got = [.. told.Where(request => request.IsGranted)];
        if (inOrder)
            Assert.Equal(expected, got);
        else
            Assert.Equal(expected.ToHashSet(), [.. got]);
        Assert.Equal(deadlocks.Select(id => requests[id]).ToHashSet(), [.. told.Where(request => request.IsDeadlock)]);
        foreach (int id in granted.Concat(deadlocks))
            requests.Remove(id);
    }

    private static void AssertIsFirst(List<(int Owner, LockKind Kind, int Start, int End)> conflicts, LockConflict found, ulong at)
    {
        Assert.Equal(at + (ulong)conflicts[0].Start, found.Range.Start);
        Assert.Contains(((int)found.Owner!.Svid, found.Kind, (int)(found.Range.Start - at), (int)(found.Range.End - at)), conflicts);
    }

    private static void AssertSame(LockTable table, ByteModel model, TestOwner[] owners, ulong at)
    {
        long count = 0;
        for (int file = 0; file < Files; file++)
        {
            var held = table.Locks(Key(file)).Select(held => (held.Owner.Svid, held.Kind, (int)(held.Range.Start - at), (int)(held.Range.End - at)));
            var runs = model.Runs(file);
            Assert.Equal(runs, [.. held.OrderBy(run => run.Item3).ThenBy(run => run.Svid)]);
            count += runs.Count;
        }
        Assert.Equal(count, table.Count);
        Assert.Equal(model.Line.Count, table.WaitingCount);
        for (int owner = 0; owner < Owners; owner++)
        {
            bool isIdle = !model.Runs(0).Concat(model.Runs(1)).Any(run => run.Owner == owner) && !model.Line.Any(waiting => waiting.Owner == owner);
            Assert.Equal(isIdle, owners[owner].IsIdle);
        }
    }
}
