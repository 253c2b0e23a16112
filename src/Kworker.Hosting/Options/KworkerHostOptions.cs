namespace Kworker.Hosting;

/// <summary>How a host has its <see cref="KworkerSystem"/>: section <c>Kworker</c> of its configuration.</summary>
public sealed class KworkerHostOptions
{
    /// <summary>
    /// How much of the host's time for shutdown (<see cref="Microsoft.Extensions.Hosting.HostOptions.ShutdownTimeout"/>, counted from where it begins to stop) works have before what
    /// waits is taken back, and what runs is told to stop by its token; four fifths unless given. The rest is theirs to obey in.
    /// </summary>
    public TimeSpan? ShutdownGrace { get; set; }

    /// <summary>Whether the system is <see cref="KworkerSystem.Default"/> while the host lives, so that nothing escapes its shutdown; true unless told otherwise.</summary>
    public bool ReplaceDefault { get; set; } = true;

    /// <summary>See <see cref="KworkerSystemOptions.PoolStallLimit"/>.</summary>
    public TimeSpan PoolStallLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>See <see cref="KworkerSystemOptions.LongItemLimit"/>.</summary>
    public TimeSpan LongItemLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>See <see cref="KworkerSystemOptions.HungTaskLimit"/>.</summary>
    public TimeSpan HungTaskLimit { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>See <see cref="KworkerSystemOptions.RecordStacks"/>.</summary>
    public bool RecordStacks { get; set; }
}
