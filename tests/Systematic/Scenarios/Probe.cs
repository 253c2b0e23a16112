namespace Kworker.Systematic;

/// <summary>What a work function of a scenario does: counts its runs and sees to it that it never runs twice at once.</summary>
internal sealed class Probe
{
    private bool _runs;

    internal int Runs { get; private set; }

    internal Action? Inside { get; set; }

    internal static Action<Probe> Function { get; } = static probe => probe.Run();

    internal void Run()
    {
        if (_runs)
            Schedule.Current.Fail(new ScheduleException("It runs twice at once."));
        _runs = true;
        Runs++;
        Scenario.Step();
        Inside?.Invoke();
        Scenario.Step();
        _runs = false;
    }
}
