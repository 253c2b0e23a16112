using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>Two async loops hand over to each other. No contestant lets what follows an await run inside the call that woke it, but for the last, which says so.</summary>
internal sealed class AsyncRoundTripScenario : IScenario
{
    public string Name => "asynctrip";

    public string Summary => "two async loops hand over to each other, round trip; trips=100000 rounds=15";

    public void Run(ScenarioOptions options)
    {
        int trips = options.Number("trips", 100_000), rounds = options.Number("rounds", 15);
        new Comparison("Two async loops hand over to each other, on the thread pool, round trip") { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("Completion", trips, () => Play<CompletionTurn>(trips))
            .Add("TaskCompletionSource, a new one each time", trips, () => Play<SourceTurn>(trips))
            .Add("SemaphoreSlim", trips, () => Play<SemaphoreTurn>(trips))
            .Add("Nito.AsyncEx AsyncAutoResetEvent", trips, () => Play<NitoTurn>(trips))
            .Add("DotNext.Threading AsyncAutoResetEvent", trips, () => Play<DotNextTurn>(trips))
            .Add("Microsoft.VisualStudio.Threading AsyncAutoResetEvent", trips, () => Play<VisualStudioTurn>(trips))
            .Add("TaskCompletionSource, continues inside SetResult", trips, () => Play<InlineSourceTurn>(trips))
            .Run();

        using var queue = new Workqueue("bench");
        new Comparison("Two async work functions hand over to each other, on a Workqueue, round trip") { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("Completion", trips, () => PlayOn<CompletionTurn>(queue, trips))
            .Add("TaskCompletionSource, a new one each time", trips, () => PlayOn<SourceTurn>(queue, trips))
            .Add("SemaphoreSlim", trips, () => PlayOn<SemaphoreTurn>(queue, trips))
            .Add("Nito.AsyncEx AsyncAutoResetEvent", trips, () => PlayOn<NitoTurn>(queue, trips))
            .Add("DotNext.Threading AsyncAutoResetEvent", trips, () => PlayOn<DotNextTurn>(queue, trips))
            .Add("Microsoft.VisualStudio.Threading AsyncAutoResetEvent", trips, () => PlayOn<VisualStudioTurn>(queue, trips))
            .Run();
    }

    private static void Play<TTurn>(int trips)
        where TTurn : Turn, new()
    {
        Turn ping = new TTurn(), pong = new TTurn();
        Task answers = Task.Run(() => AnswerAsync(ping, pong, trips)), asks = Task.Run(() => AskAsync(ping, pong, trips));
        Task.WaitAll(answers, asks);
    }

    private static void PlayOn<TTurn>(Workqueue queue, int trips)
        where TTurn : Turn, new()
    {
        Turn ping = new TTurn(), pong = new TTurn();
        Work<int> answers = new(trips, async (trips, _) => await AnswerAsync(ping, pong, trips)), asks = new(trips, async (trips, _) => await AskAsync(ping, pong, trips));
        queue.Queue(answers);
        queue.Queue(asks);
        answers.Flush();
        asks.Flush();
    }

    private static async Task AskAsync(Turn ping, Turn pong, int trips)
    {
        for (int i = 0; i < trips; i++)
        {
            ping.Give();
            await pong.TakeAsync();
        }
    }

    private static async Task AnswerAsync(Turn ping, Turn pong, int trips)
    {
        for (int i = 0; i < trips; i++)
        {
            await ping.TakeAsync();
            pong.Give();
        }
    }

    private abstract class Turn
    {
        internal abstract void Give();

        internal abstract ValueTask TakeAsync();
    }

    private sealed class CompletionTurn : Turn
    {
        private readonly Completion _completion = new();

        internal override void Give() => _completion.Complete();

        internal override ValueTask TakeAsync() => _completion.WaitAsync();
    }

    private class SourceTurn(TaskCreationOptions options) : Turn
    {
        private TaskCompletionSource _source = new(options);

        public SourceTurn()
            : this(TaskCreationOptions.RunContinuationsAsynchronously)
        {
        }

        internal override void Give() => Volatile.Read(ref _source).SetResult();

        internal override async ValueTask TakeAsync()
        {
            await _source.Task;
            Volatile.Write(ref _source, new TaskCompletionSource(options)); // the next Give comes after our answer
        }
    }

    private sealed class InlineSourceTurn() : SourceTurn(TaskCreationOptions.None);

    private sealed class SemaphoreTurn : Turn
    {
        private readonly SemaphoreSlim _semaphore = new(0);

        internal override void Give() => _semaphore.Release();

        internal override ValueTask TakeAsync() => new(_semaphore.WaitAsync());
    }

    private sealed class NitoTurn : Turn
    {
        private readonly Nito.AsyncEx.AsyncAutoResetEvent _event = new();

        internal override void Give() => _event.Set();

        internal override ValueTask TakeAsync() => new(_event.WaitAsync());
    }

    private sealed class DotNextTurn : Turn
    {
        private readonly DotNext.Threading.AsyncAutoResetEvent _event = new(initialState: false);

        internal override void Give() => _event.Set();

        internal override ValueTask TakeAsync() => _event.WaitAsync();
    }

    private sealed class VisualStudioTurn : Turn
    {
        private readonly Microsoft.VisualStudio.Threading.AsyncAutoResetEvent _event = new();

        internal override void Give() => _event.Set();

        internal override ValueTask TakeAsync() => new(_event.WaitAsync());
    }
}
