using System.Reflection;

[assembly: AssemblyFixture(typeof(Kworker.Systematic.Explored))]

namespace Kworker.Systematic;

/// <summary>
/// How many schedules have been run, by class of scenarios. At the end it prints them, and fails when one of the lock-free cores, all of whose scenarios have been run, has
/// seen less than thousands.
/// </summary>
public sealed class Explored : IDisposable
{
    /// <summary>Each core is to see so many in a run of the tests, at least.</summary>
    private const int Enough = 3000;

    /// <summary>The lock-free cores, and the scenarios that are about each.</summary>
    private static readonly (string Core, Type[] Scenarios)[] s_cores =
    [
        ("work state", [typeof(WorkScenarios)]),
        ("wait queue", [typeof(WaitQueueScenarios)]),
        ("completion", [typeof(CompletionScenarios)]),
        ("timer", [typeof(TimerScenarios), typeof(DelayedWorkScenarios)]),
        ("async waiter pooling", [typeof(AsyncWaiterScenarios)]),
    ];

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<(string Class, string Scenario), int> s_tried = []; // under the lock

    internal static void Note(string className, string scenario, int tried)
    {
        lock (s_lock)
            s_tried[(className, scenario)] = s_tried.GetValueOrDefault((className, scenario)) + tried;
    }

    public void Dispose()
    {
        var few = new List<string>();
        lock (s_lock)
        {
            foreach ((string core, Type[] scenarios) in s_cores)
            {
                int tried = s_tried.Where(each => scenarios.Any(type => type.Name == each.Key.Class)).Sum(static each => each.Value);
                bool isWhole = scenarios.All(static type => Names(type).All(name => s_tried.ContainsKey((type.Name, name))));
                if (tried > 0)
                    Console.WriteLine($"schedules: {core}: {tried}{(isWhole ? "" : ", of some of its scenarios")}");
                if (isWhole && tried < Enough && Explorer.IsWhole)
                    few.Add($"{core}: {tried}");
            }
        }

        if (few.Count > 0)
            throw new ScheduleException($"Fewer than {Enough} schedules of {string.Join(", ", few)}.");
    }

    private static IEnumerable<string> Names(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Where(static method => method.IsDefined(typeof(FactAttribute))).Select(static method => method.Name);
}
