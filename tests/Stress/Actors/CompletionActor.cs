namespace Kworker.Stress.Actors;

/// <summary>Completions: none given is lost, none is had twice, whoever gave up waiting meanwhile; complete-all lets everybody go.</summary>
internal sealed class CompletionActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
    {
        while (IsOn)
        {
            Doing("count");
            Count();
            Doing("let all go");
            LetAllGo();
        }
    }

    /// <summary>So many given, so many had: with those kept in the end.</summary>
    private void Count()
    {
        var completion = new Completion();
        World.Watch(completion, "counted completion");
        int given = 0, had = 0, waits = Random.Next(1, 300);
        var threads = new List<Thread>();
        var tasks = new List<Task>();
        for (int i = Random.Next(1, 4); i > 0; i--)
        {
            int seed = Random.Next();
            threads.Add(new Thread(() =>
            {
                var random = new Random(seed);
                for (int i = 0; i < waits; i++)
                    Interlocked.Add(ref had, Wait(completion, random));
            })
            { IsBackground = true, Name = "st/waiter" });
        }

        for (int i = Random.Next(4); i > 0; i--)
        {
            int seed = Random.Next();
            tasks.Add(Task.Run(async () =>
            {
                var random = new Random(seed);
                for (int i = 0; i < waits; i++)
                    Interlocked.Add(ref had, await WaitAsync(completion, random));
            }));
        }

        threads.ForEach(static thread => thread.Start());
        while (threads.Exists(static thread => thread.IsAlive) || tasks.Exists(static task => !task.IsCompleted))
        {
            completion.Complete();
            given++;
            if (Chance(0.1))
                Thread.Yield();
        }

        threads.ForEach(static thread => thread.Join());
        Task.WaitAll([.. tasks]);
        int kept = 0;
        while (completion.TryWait())
            kept++;
        if (given != had + kept)
            Verdict.Fail($"{Name}: {given} completed, {had} had, {kept} kept");
    }

    private static int Wait(Completion completion, Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                return completion.TryWait() ? 1 : 0;
            case 1:
                completion.Wait();
                return 1;
            case 2:
                using (var source = new CancellationTokenSource(random.Next(2)))
                {
                    try
                    {
                        completion.Wait(source.Token);
                        return 1;
                    }
                    catch (OperationCanceledException)
                    {
                        return 0;
                    }
                }

            default:
                return completion.Wait(TimeSpan.FromMilliseconds(random.NextDouble())) ? 1 : 0;
        }
    }

    private static async Task<int> WaitAsync(Completion completion, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                await completion.WaitAsync();
                return 1;
            case 1:
                using (var source = new CancellationTokenSource(random.Next(2)))
                {
                    try
                    {
                        await completion.WaitAsync(source.Token);
                        return 1;
                    }
                    catch (OperationCanceledException)
                    {
                        return 0;
                    }
                }

            default:
                return await completion.WaitAsync(TimeSpan.FromMilliseconds(random.NextDouble())) ? 1 : 0;
        }
    }

    private void LetAllGo()
    {
        var completion = new Completion();
        World.Watch(completion, "completion for all");
        Task[] waiters = [.. Enumerable.Range(0, Random.Next(100)).Select(_ => Chance(0.5) ? completion.WaitAsync().AsTask() : WaitLongAsync(completion))];
        if (Chance(0.5))
            Thread.Yield();
        completion.CompleteAll();
        Task.WaitAll(waiters);
        if (!completion.IsDone || !completion.TryWait())
            Verdict.Fail($"{Name}: a completion for all is not done");
    }

    private async Task WaitLongAsync(Completion completion)
    {
        if (!await completion.WaitAsync(TimeSpan.FromSeconds(600)))
            Verdict.Fail($"{Name}: complete-all let a waiter time out");
    }
}
