namespace Kworker.Tests;

/// <summary>Who listens is the process's business: tests that look at that run one after another, and beside no others.</summary>
[CollectionDefinition(nameof(TracingTests), DisableParallelization = true)]
public sealed class TracingTests;
