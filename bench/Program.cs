using BenchmarkDotNet.Running;
using Kworker.Bench.Scenarios;

// dotnet run -c Release --project bench -- --filter '*'              BenchmarkDotNet: all
// dotnet run -c Release --project bench -- --filter '*Dispatch*'     those whose name matches
// dotnet run -c Release --project bench -- scenario list             what does not fit BenchmarkDotNet: several peers side by side in one run
// dotnet run -c Release --project bench -- scenario NAME [key=value...]
if (args is ["scenario", .. string[] scenario])
    return ScenarioRunner.Run(scenario);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
