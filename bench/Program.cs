using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench -- --filter '*'        (all)
// dotnet run -c Release --project bench -- --filter '*Dispatch*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
