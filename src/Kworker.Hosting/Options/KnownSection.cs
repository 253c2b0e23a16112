namespace Kworker.Hosting;

/// <summary>A queue or work that has been added: a section of the configuration may be about it.</summary>
internal sealed record KnownSection(string Kind, string Name);
