using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>What the waits cost while nobody waits.</summary>
internal sealed class UncontendedScenario : IScenario
{
    private readonly Completion _completion = new();
    private readonly WaitQueue _queue = new();
    private int _word;

    public string Name => "uncontended";

    public string Summary => "Complete, TryWait and WakeUp while nobody waits, beside one compare-and-swap; calls=2000000 rounds=15";

    public void Run(ScenarioOptions options)
    {
        int calls = options.Number("calls", 2_000_000), rounds = options.Number("rounds", 15);
        Beside("Complete", calls, rounds, _completion.Reinit, () =>
        {
            for (int i = 0; i < calls; i++)
                _completion.Complete();
        });
        Beside("TryWait of what is kept", calls, rounds, Keep, () =>
        {
            for (int i = 0; i < calls; i++)
                _completion.TryWait();
        });
        Beside("TryWait of nothing", calls, rounds, _completion.Reinit, () =>
        {
            for (int i = 0; i < calls; i++)
                _completion.TryWait();
        });
        Beside("WakeUp", calls, rounds, null, () =>
        {
            for (int i = 0; i < calls; i++)
                _queue.WakeUp();
        });

        void Keep()
        {
            _completion.Reinit();
            for (int i = 0; i < calls; i++)
                _completion.Complete();
        }
    }

    private void Beside(string name, int calls, int rounds, Action? prepare, Action run) =>
        new Comparison($"{name}, nobody waits") { Rounds = rounds, CountsBytes = true }
            .Add(name, calls, run, prepare)
            .Add("Interlocked.CompareExchange", calls, () =>
            {
                for (int i = 0; i < calls; i++)
                    Interlocked.CompareExchange(ref _word, 1, 0);
            })
            .Run();
}
