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

    /// <summary>An operation that takes effect at one moment between its call and its return.</summary>
    internal void Add(string text, long called, long returned, Func<ItemModel, ItemModel?> effect) => Add([new Operation(text, called, returned, effect, null)]);

    /// <summary>One that takes effect in two steps, and waits in between.</summary>
    internal void Add(string text, long called, long returned, Func<ItemModel, ItemModel?> first, Func<ItemModel, ItemModel?> second)
    {
        var begin = new Operation(text, called, returned, first, null);
        Add([begin, new Operation(text + ", and waits", called, returned, second, begin)]);
    }

    /// <summary>Of the item's own: it began some time since its last run ended.</summary>
    internal void AddBegin(long since, long entered) => Add("begins", since, entered, static item => item.Begin());

    /// <summary>Of the item's own: it ended some time after its function did.</summary>
    internal void AddEnd(long left) => Add("ends", left, Never, static item => item.End());

    private void Add(Operation[] operations)
    {
        lock (_lock)
            _operations.AddRange(operations);
    }

    /// <summary>Fails, with the whole history, when there is no such order.</summary>
    internal void Check(bool cancelsTogether)
    {
        Operation[] operations = [.. _operations.OrderBy(static operation => operation.Called)];
        Assert.InRange(operations.Length, 0, 64);
        var seen = new HashSet<(ulong, ItemModel)>();
        if (!Search(operations, 0, new ItemModel { CancelsTogether = cancelsTogether }, seen))
            Assert.Fail($"No order of these operations gives these answers:\n{Text(operations)}");
    }

    private static bool Search(Operation[] operations, ulong done, ItemModel state, HashSet<(ulong, ItemModel)> seen)
    {
        if (done == (operations.Length == 64 ? ulong.MaxValue : (1UL << operations.Length) - 1))
            return true;
        if (!seen.Add((done, state)))
            return false;
        // Nothing may come after what has returned before it was called.
        long earliest = Never;
        for (int i = 0; i < operations.Length; i++)
        {
            if ((done & (1UL << i)) == 0)
                earliest = Math.Min(earliest, operations[i].Returned);
        }

        for (int i = 0; i < operations.Length && operations[i].Called <= earliest; i++)
        {
            Operation operation = operations[i];
            if ((done & (1UL << i)) != 0 || (operation.After is { } first && (done & (1UL << Array.IndexOf(operations, first))) == 0))
                continue;
            if (operation.Effect(state) is { } next && Search(operations, done | (1UL << i), next, seen))
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
