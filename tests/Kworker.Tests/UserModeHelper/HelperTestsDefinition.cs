namespace Kworker.Tests.UserModeHelpers;

/// <summary>One after the other: they count this process's descriptors and children.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class HelperTestsDefinition : ICollectionFixture<HelperPrograms>
{
    public const string Name = "usermode helpers";
}
