using System.Text;

namespace Kworker.Tests.Models;

/// <summary>
/// What several threads did to one item, as they saw it: each operation with the moments at which it was called and at which it returned. It is linearizable when
/// the operations can be put in one order, each at a moment between these two, in which a sequential model gives the answers that were given.
/// </summary>
internal sealed class History
{
    private const long Never = long.MaxValue;
    private readonly Lock _lock = new();
    private readonly List<Operation> _operations = []; // under _lock
    private long _clock;

    /// <summary>A moment: later ones are higher, on whatever thread.</summary>
    internal long Now() => Interlocked.Increment(ref _clock);

    /// <summary>One that takes effect in steps, and may wait in between.</summary>
    internal void Add(string text, long called, long returned, params Func<ItemModel, ItemModel?>[] steps)
    {
        var operations = new Operation[steps.Length];
        for (int i = 0; i < steps.Length; i++)
            operations[i] = new Operation(i == 0 ? text : text + ", and goes on", called, returned, steps[i], i == 0 ? null : operations[i - 1]);
        lock (_lock)
            _operations.AddRange(operations);
    }

    /// <summary>Of the item's own: it began some time since its last run ended.</summary>
    internal void AddBegin(long since, long entered) => Add("begins", since, entered, static item => item.Begin());

    /// <summary>Of the item's own: it ended some time after its function did.</summary>
    internal void AddEnd(long left) => Add("ends", left, Never, static item => item.End());

    /// <summary>Fails, with the whole history, when there is no such order.</summary>
    internal void Check(bool cancelsTogether)
    {
        Operation[] operations = [.. _operations.OrderBy(static operation => operation.Called)];
        Assert.InRange(operations.Length, 0, 127);
        var seen = new HashSet<(UInt128, ItemModel)>();
        if (!Search(operations, 0, new ItemModel { CancelsTogether = cancelsTogether }, seen))
            Assert.Fail($"No order of these operations gives these answers:\n{Text(operations)}");
    }

    private static bool Search(Operation[] operations, UInt128 done, ItemModel state, HashSet<(UInt128, ItemModel)> seen)
    {
        if (done == (UInt128.One << operations.Length) - 1)
            return true;
        if (!seen.Add((done, state)))
            return false;
        // Nothing may come after what has returned before it was called.
        long earliest = Never;
        for (int i = 0; i < operations.Length; i++)
        {
            if ((done & (UInt128.One << i)) == 0)
                earliest = Math.Min(earliest, operations[i].Returned);
        }

        for (int i = 0; i < operations.Length && operations[i].Called <= earliest; i++)
        {
            Operation operation = operations[i];
            if ((done & (UInt128.One << i)) != 0 || (operation.After is { } first && (done & (UInt128.One << Array.IndexOf(operations, first))) == 0))
                continue;
            if (operation.Effect(state) is { } next && Search(operations, done | (UInt128.One << i), next, seen))
                return true;
        }

        return false;
    }

    private static string Text(Operation[] operations)
    {
        var text = new StringBuilder();
        foreach (Operation operation in operations)
            text.Append(operation.Called).Append(" to ").Append(operation.Returned == Never ? "?" : operation.Returned).Append(": ").AppendLine(operation.Text);
        return text.ToString();
    }

    private sealed record Operation(string Text, long Called, long Returned, Func<ItemModel, ItemModel?> Effect, Operation? After);
}
