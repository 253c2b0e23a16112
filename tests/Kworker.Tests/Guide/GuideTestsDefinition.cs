namespace Kworker.Tests.Guide;

/// <summary>One after the other, and beside nobody: they replace the default system.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class GuideTestsDefinition
{
    public const string Name = "guide";
}
