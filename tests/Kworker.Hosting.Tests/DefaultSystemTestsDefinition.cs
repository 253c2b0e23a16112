namespace Kworker.Hosting.Tests;

/// <summary>One after the other, and beside nobody: their hosts replace the default system.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DefaultSystemTestsDefinition
{
    public const string Name = "default system";
}
