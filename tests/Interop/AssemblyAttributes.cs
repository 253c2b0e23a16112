using System.Runtime.Versioning;

// The daemon calls Linux directly; so may its tests.
[assembly: SupportedOSPlatform("linux")]

// Each test loads the machine with a server, a client and often an emulator: beside one another they would only be slower.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
