namespace Kworker;

/// <summary>How a <see cref="KworkerSystem"/> is set up.</summary>
public sealed class KworkerSystemOptions
{
    /// <summary>The clock of timers and timeouts; the system's unless given. A test gives its fake one.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where an exception goes that left a work function and that no handler took; to standard error unless given.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>How many workers of a pool run at once; for tests.</summary>
    internal int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>Sees every park and wake-up; for tests.</summary>
    internal TaskObserver? Observer { get; init; }
}
