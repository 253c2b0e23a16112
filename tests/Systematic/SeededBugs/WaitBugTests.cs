namespace Kworker.Systematic;

/// <summary>The protocols of the waits, each in small, once right and once with the step left out that they stand or fall by.</summary>
public sealed class WaitBugTests
{
    /// <summary>Completion.Complete counts only while nobody stands in line, in one step.</summary>
    [Fact]
    public void A_completion_that_is_kept_while_somebody_comes_to_wait_for_it() => SeededBugTests.Finds((scenario, wrong) =>
    {
        const int Waited = 256;
        int state = 0; // how many are kept, and whether somebody waits
        Parker? sleeper = null;
        var other = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            while (true)
            {
                int kept = Seam.Read(in state);
                if (kept > 0 ? Seam.CompareExchange(ref state, kept - 1, kept) == kept : Seam.CompareExchange(ref state, Waited, 0) == 0)
                {
                    if (kept == 0)
                        Parker.Current.Park();
                    return;
                }
            }
        });
        if (Seam.Read(in state) == 0 && wrong)
        {
            Seam.Increment(ref state);
        }
        else if (Seam.CompareExchange(ref state, 1, 0) != 0)
        {
            Seam.Write(ref state, 0);
            sleeper!.Unpark();
        }

        other.Join();
        Assert.Equal(0, state);
    });

    /// <summary>
    /// WaitQueue.WakeUp looks at the line after what its caller changed can be seen. Without the fence between, the processor may look first: the wrong one does.
    /// </summary>
    [Fact]
    public void A_look_at_the_line_before_the_condition_is_seen_to_hold() => SeededBugTests.Finds((scenario, wrong) =>
    {
        int holds = 0, inLine = 0;
        Parker? sleeper = null;
        var other = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            Seam.Write(ref inLine, 1);
            Seam.Fence();
            while (Seam.Read(in holds) == 0)
                Parker.Current.Park();
        });
        int seen = wrong ? Seam.Read(in inLine) : 0;
        Seam.Write(ref holds, 1);
        Seam.Fence();
        if (wrong ? seen != 0 : Seam.Read(in inLine) != 0)
            sleeper!.Unpark();
        other.Join();
    });

    /// <summary>WaitQueue.WaitEvent looks at the condition after it stands in line: once is not enough.</summary>
    [Fact]
    public void A_waiter_that_does_not_look_again_once_it_stands_in_line() => SeededBugTests.Finds((scenario, wrong) =>
    {
        int holds = 0, inLine = 0;
        Parker? sleeper = null;
        var other = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            if (Seam.Read(in holds) != 0)
                return;
            Seam.Write(ref inLine, 1);
            Seam.Fence();
            if (wrong || Seam.Read(in holds) == 0)
                Parker.Current.Park();
        });
        Seam.Write(ref holds, 1);
        Seam.Fence();
        if (Seam.Read(in inLine) != 0)
            sleeper!.Unpark();
        other.Join();
    });

    /// <summary>ThreadWaiter: who resumes unparks only whom it saw asleep, so falling asleep must be a step that sees the resumption.</summary>
    [Fact]
    public void A_waiter_that_falls_asleep_over_its_resumption() => SeededBugTests.Finds((scenario, wrong) =>
    {
        const int Asleep = 1, Resumed = 2;
        int state = 0;
        Parker? sleeper = null;
        var other = scenario.Run("waiter", () =>
        {
            sleeper = Parker.Current;
            if (wrong)
            {
                if (Seam.Read(in state) == Resumed)
                    return;
                Seam.Write(ref state, Asleep);
            }
            else if (Seam.CompareExchange(ref state, Asleep, 0) != 0)
            {
                return;
            }

            do
                Parker.Current.Park();
            while (Seam.Read(in state) != Resumed);
        });
        if (Seam.Exchange(ref state, Resumed) == Asleep)
            sleeper!.Unpark();
        other.Join();
    });

    /// <summary>AsyncWaiter: whoever of awaiter and resumer comes second schedules the continuation.</summary>
    [Fact]
    public void A_continuation_that_neither_the_awaiter_nor_the_resumer_runs() => SeededBugTests.Finds((scenario, wrong) =>
    {
        object resumed = new(), continuation = new();
        object? word = null;
        int runs = 0;
        var other = scenario.Run("awaiter", () =>
        {
            if (wrong)
            {
                bool first = Seam.Read(in word) is null;
                Scenario.Step();
                if (first)
                    word = continuation;
                else
                    Seam.Increment(ref runs);
            }
            else if (Seam.CompareExchange(ref word, continuation, null) is not null)
            {
                Seam.Increment(ref runs);
            }
        });
        if (Seam.CompareExchange(ref word, resumed, null) is not null)
            Seam.Increment(ref runs);
        other.Join();
        Assert.Equal(1, runs);
    });

    /// <summary>ResumeRun: a run that takes something leaves another one in the queue, for it may be held up by what it took.</summary>
    [Fact]
    public void A_run_of_continuations_that_leaves_the_rest_behind_the_one_that_blocks() => SeededBugTests.Finds((scenario, wrong) =>
    {
        int left = 2;
        var last = new Completion();
        var runs = new List<Scenario.Thread>();
        void Run()
        {
            if (Seam.Read(in left) == 0)
                return;
            if (!wrong)
                runs.Add(scenario.Run("next run", Run));
            while (true)
            {
                int seen = Seam.Read(in left);
                if (seen == 0)
                    return;
                if (Seam.CompareExchange(ref left, seen - 1, seen) != seen)
                    continue;
                if (seen == 1)
                    last.CompleteAll();
                else
                    last.Wait();
            }
        }

        runs.Add(scenario.Run("run", Run));
        last.Wait();
        for (int i = 0; i < runs.Count; i++)
            runs[i].Join();
    });
}
