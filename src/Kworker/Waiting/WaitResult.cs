namespace Kworker;

/// <summary>
/// How a wait ended. One convention holds for every wait of this library: what the caller asked for by an argument is returned here
/// (done, time over, interrupted by a signal that the <see cref="WaitMode"/> admits); a cancelled token throws
/// <see cref="OperationCanceledException"/>, as everywhere in .NET.
/// Converts to true when what was waited for has come.
/// </summary>
public readonly struct WaitResult : IEquatable<WaitResult>
{
    private readonly WaitOutcome _outcome;

    private WaitResult(WaitOutcome outcome, TimeSpan remaining)
    {
        _outcome = outcome;
        Remaining = remaining;
    }

    /// <summary>What was waited for has come.</summary>
    public bool IsDone => _outcome == WaitOutcome.Done;

    /// <summary>The time was over first (the kernel returns 0).</summary>
    public bool IsTimedOut => _outcome == WaitOutcome.TimedOut;

    /// <summary>A signal ended the wait (the kernel returns <c>-ERESTARTSYS</c>).</summary>
    public bool IsInterrupted => _outcome == WaitOutcome.Interrupted;

    /// <summary>
    /// What was left of the timeout when the wait ended. Zero without a timeout, when the wait was not done, and when it was done
    /// just as the time was over.
    /// </summary>
    public TimeSpan Remaining { get; }

    internal static WaitResult TimedOut => default;

    internal static WaitResult Interrupted => new(WaitOutcome.Interrupted, TimeSpan.Zero);

    internal static WaitResult Done(TimeSpan remaining = default) => new(WaitOutcome.Done, remaining);

    /// <summary>True when what was waited for has come.</summary>
    public static implicit operator bool(WaitResult result) => result.IsDone;

    /// <summary>The same as the conversion to <see cref="bool"/>.</summary>
    public bool ToBoolean() => IsDone;

    /// <summary>Whether both ended the same way with the same time left.</summary>
    public static bool operator ==(WaitResult left, WaitResult right) => left.Equals(right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(WaitResult left, WaitResult right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(WaitResult other) => _outcome == other._outcome && Remaining == other.Remaining;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is WaitResult other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_outcome, Remaining);

    /// <inheritdoc/>
    public override string ToString() => Remaining > TimeSpan.Zero ? $"{_outcome}, {Remaining} left" : _outcome.ToString();

    private enum WaitOutcome
    {
        TimedOut,
        Done,
        Interrupted,
    }
}
