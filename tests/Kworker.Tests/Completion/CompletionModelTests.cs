using CsCheck;
using Kworker.Tests.Models;

namespace Kworker.Tests;

/// <summary>Random operations of several threads on one completion, against a counter.</summary>
public sealed class CompletionModelTests
{
    private enum Operation
    {
        Complete,
        TryWait,
        IsDone,
        WaitNoTime,
        WaitShortTime,
        WaitAsyncCancelled,
        Wait,
        WaitAsync,
        CompleteAll,
    }

    [Fact]
    public void Histories_are_linearizable() =>
        Gen.Select(Gen.Enum<Operation>().Where(static operation => operation != Operation.CompleteAll).Array[1, 6].Array[2, 4], Gen.Bool).Sample(
            static (programs, all) =>
            {
                int needed = programs.Sum(static program => program.Count(static operation => operation != Operation.Complete));
                if (all)
                    needed /= 2;
                int inside = 0, going = programs.Length;
                var completion = new Completion();
                var history = new History<Operation, bool>();
                Together.Run(
                [
                    .. programs.Select(program => (Action)(() =>
                    {
                        foreach (Operation operation in program)
                        {
                            Interlocked.Increment(ref inside);
                            history.Record(operation, () => Perform(completion, operation));
                            Interlocked.Decrement(ref inside);
                        }

                        Interlocked.Decrement(ref going);
                    })),
                    // What the impatient may take and the patient need: with so many nobody waits for ever, unless a wake-up is lost.
                    () =>
                    {
                        for (int i = 0; i < needed; i++)
                        {
                            // One by one, to somebody who is at it: all at once, nobody would have to wait.
                            SpinWait.SpinUntil(() => Volatile.Read(ref inside) > 0 || Volatile.Read(ref going) == 0);
                            for (int yields = 0; yields < 3; yields++)
                                Thread.Yield();
                            history.Record(Operation.Complete, () => Perform(completion, Operation.Complete));
                        }

                        if (all)
                            history.Record(Operation.CompleteAll, () => Perform(completion, Operation.CompleteAll));
                    },
                ]);
                history.AssertLinearizable(0u, Model);
            },
            iter: ModelRun.Times(400), threads: 1);

    private static bool Perform(Completion completion, Operation operation)
    {
        switch (operation)
        {
            case Operation.Complete:
                completion.Complete();
                return true;
            case Operation.CompleteAll:
                completion.CompleteAll();
                return true;
            case Operation.TryWait:
                return completion.TryWait();
            case Operation.IsDone:
                return completion.IsDone;
            case Operation.WaitNoTime:
                return completion.Wait(TimeSpan.Zero);
            case Operation.WaitShortTime:
                return completion.Wait(TimeSpan.FromMilliseconds(1));
            case Operation.WaitAsyncCancelled:
                return CancelAsync(completion).GetAwaiter().GetResult();
            case Operation.Wait:
                completion.Wait();
                return true;
            default:
                completion.WaitAsync().AsTask().GetAwaiter().GetResult();
                return true;
        }
    }

    private static async Task<bool> CancelAsync(Completion completion)
    {
        using var source = new CancellationTokenSource();
        Task<WaitResult> wait = completion.WaitAsync(TimeSpan.FromSeconds(100), default, source.Token).AsTask();
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

    private static uint? Model(uint kept, Operation operation, bool answer) => operation switch
    {
        Operation.Complete => kept == uint.MaxValue ? kept : kept + 1,
        Operation.CompleteAll => uint.MaxValue,
        Operation.IsDone => kept != 0 == answer ? kept : null,
        // Who looks without waiting must take what is there. A wait whose time or token ended took nothing, whatever came later.
        Operation.TryWait or Operation.WaitNoTime when !answer => kept == 0 ? kept : null,
        _ when !answer => kept,
        _ => kept switch
        {
            0 => null,
            uint.MaxValue => kept,
            _ => kept - 1,
        },
    };

    [Fact]
    public void Nobody_is_given_the_end_of_anothers_wait()
    {
        // Waiters come from a pool and go back to it. Each pair has a completion of its own, so a result that went to the wrong wait is one too many or too few.
        Gen.Select(Gen.Int[0, 3].Array[20], Gen.Int[0, 2].Array[20]).Array[3, 6].Sample(
            static pairs => Task.WhenAll(pairs.Select(static pair => Task.Run(() => PlayAsync(pair.Item1, pair.Item2)))).GetAwaiter().GetResult(),
            iter: ModelRun.Times(60), threads: 1);

        static async Task PlayAsync(int[] waits, int[] gives)
        {
            var completion = new Completion();
            int given = 0, got = 0;
            Task giver = Task.Run(async () =>
            {
                foreach (int give in gives)
                {
                    if (give == 0)
                        await Task.Yield();
                    for (int i = 0; i < give; i++)
                    {
                        given++;
                        completion.Complete();
                    }
                }
            });
            foreach (int wait in waits)
            {
                using var source = new CancellationTokenSource();
                switch (wait)
                {
                    case 0:
                        got += completion.TryWait() ? 1 : 0;
                        break;
                    case 1:
                        WaitResult result = await completion.WaitAsync(TimeSpan.FromMilliseconds(1));
                        Assert.True(result.IsDone || result.IsTimedOut);
                        got += result ? 1 : 0;
                        break;
                    default:
                        ValueTask<WaitResult> cancelled = completion.WaitAsync(
                            wait == 2 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(100), default, source.Token);
                        Task cancel = Task.Run(source.Cancel);
                        try
                        {
                            Assert.True((await cancelled).IsDone);
                            got++;
                        }
                        catch (OperationCanceledException e)
                        {
                            Assert.Equal(source.Token, e.CancellationToken);
                        }

                        await cancel;
                        break;
                }
            }

            await giver;
            Assert.Equal((uint)given, (uint)got + completion.Done);
        }
    }

    [Fact]
    public async Task A_result_is_taken_once()
    {
        var completion = new Completion();
#pragma warning disable CA2012 // the mistake that it is about
        ValueTask wait = completion.WaitAsync();
        completion.Complete();
        await wait;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await wait);
#pragma warning restore CA2012
    }
}
