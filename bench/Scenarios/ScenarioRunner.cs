namespace Kworker.Bench.Scenarios;

/// <summary>Finds a scenario by its name and runs it.</summary>
internal static class ScenarioRunner
{
    internal static int Run(string[] arguments)
    {
        IScenario[] scenarios =
        [
            .. typeof(IScenario).Assembly.GetTypes()
                .Where(static type => type.IsAssignableTo(typeof(IScenario)) && !type.IsInterface)
                .Select(static type => (IScenario)Activator.CreateInstance(type, nonPublic: true)!)
                .OrderBy(static scenario => scenario.Name, StringComparer.Ordinal),
        ];
        if (arguments is [] or ["list"])
        {
            foreach (IScenario each in scenarios)
                Console.WriteLine($"{each.Name,-12} {each.Summary}");
            return 0;
        }

        if (scenarios.FirstOrDefault(each => each.Name == arguments[0]) is not { } scenario)
        {
            Console.Error.WriteLine($"There is no scenario {arguments[0]}; there are {string.Join(", ", scenarios.Select(static each => each.Name))}.");
            return 2;
        }

        var options = new ScenarioOptions(arguments.Skip(1));
        scenario.Run(options);
        options.ThrowIfAnyUnknown();
        return 0;
    }
}
