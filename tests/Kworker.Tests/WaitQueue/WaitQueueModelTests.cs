using CsCheck;
using Kworker.Tests.Models;

namespace Kworker.Tests;

/// <summary>Random operations of several threads on a store with a line of takers, and on a number that grows with a line of those who wait for it to.</summary>
public sealed class WaitQueueModelTests
{
    private enum Operation
    {
        Add,
        TryTake,
        TakeShortTime,
        TakeAsyncCancelled,
        Take,
        TakeAsync,
    }

    /// <summary>Things to be taken: what exclusive waits are made for.</summary>
    private sealed class Store
    {
        private readonly WaitQueue _takers = new();
        private int _items;

        internal bool Perform(Operation operation)
        {
            switch (operation)
            {
                case Operation.Add:
                    Interlocked.Increment(ref _items);
                    _takers.WakeUp();
                    return true;
                case Operation.TryTake:
                    return TryTake();
                case Operation.TakeShortTime:
                    return _takers.WaitEvent(TryTake, TimeSpan.FromMilliseconds(1), default, exclusive: true);
                case Operation.TakeAsyncCancelled:
                    return CancelAsync().GetAwaiter().GetResult();
                case Operation.Take:
                    return _takers.WaitEvent(TryTake, default(WaitMode), exclusive: true);
                default:
                    return _takers.WaitEventAsync(TryTake, default(WaitMode), exclusive: true).AsTask().GetAwaiter().GetResult();
            }
        }

        private bool TryTake()
        {
            int items = Volatile.Read(ref _items);
            while (items != 0)
            {
                int seen = Interlocked.CompareExchange(ref _items, items - 1, items);
                if (seen == items)
                    return true;
                items = seen;
            }

            return false;
        }

        private async Task<bool> CancelAsync()
        {
            using var source = new CancellationTokenSource();
            Task<WaitResult> wait = _takers.WaitEventAsync(TryTake, default(WaitMode), exclusive: true, source.Token).AsTask();
            await source.CancelAsync().ConfigureAwait(false);
            try
            {
                return await wait.ConfigureAwait(false);
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(source.Token, e.CancellationToken);
                return false;
            }
        }
    }

    [Fact]
    public void Histories_of_a_store_are_linearizable_and_every_thing_finds_its_taker() =>
        Gen.Enum<Operation>().Array[1, 6].Array[2, 4].Sample(
            static programs =>
            {
                var store = new Store();
                var history = new History<Operation, bool>();
                // What the impatient may take and the patient need: with so many in all nobody waits for ever, unless a wake-up is lost.
                int needed = programs.Sum(static program => program.Count(static operation => operation != Operation.Add));
                Together.Run(
                [
                    .. programs.Select(program => (Action)(() =>
                    {
                        foreach (Operation operation in program)
                            history.Record(operation, () => store.Perform(operation));
                    })),
                    () =>
                    {
                        for (int i = 0; i < needed; i++)
                            history.Record(Operation.Add, () => store.Perform(Operation.Add));
                    },
                ]);
                history.AssertLinearizable(0, Model);
            },
            iter: ModelRun.Times(400), threads: 1);

    private static int? Model(int items, Operation operation, bool answer) => operation switch
    {
        Operation.Add => items + 1,
        Operation.TryTake when !answer => items == 0 ? items : null,
        _ when !answer => items,
        _ => items > 0 ? items - 1 : null,
    };

    [Fact]
    public void All_who_wait_for_a_number_to_grow_see_it_grow() =>
        Gen.Select(Gen.Int[1, 8].Array[1, 5], Gen.Bool.Array[5]).Array[1, 4].Sample(
            static programs =>
            {
                const int Last = 8;
                var queue = new WaitQueue();
                int number = 0;
                Together.Run(
                [
                    .. programs.Select(program => (Action)(() =>
                    {
                        for (int i = 0; i < program.Item1.Length; i++)
                        {
                            int limit = program.Item1[i];
                            if (program.Item2[i])
                                queue.WaitEvent(() => Volatile.Read(ref number) >= limit);
                            else
                                queue.WaitEventAsync(() => Volatile.Read(ref number) >= limit).AsTask().GetAwaiter().GetResult();
                            Assert.True(Volatile.Read(ref number) >= limit);
                        }
                    })),
                    () =>
                    {
                        for (int i = 0; i < Last; i++)
                        {
                            Interlocked.Increment(ref number);
                            queue.WakeUp();
                        }
                    },
                ]);
                Assert.False(queue.IsActive);
            },
            iter: ModelRun.Times(400), threads: 1);
}
