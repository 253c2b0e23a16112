namespace Kworker.Lockd.Nlm;

/// <summary>What came of a call to a client's lock manager.</summary>
/// <param name="Result">What it answered; null if it did not.</param>
/// <param name="Reason">Why it did not.</param>
/// <param name="MayBeDelivered">Whether the call may have arrived, or have arrived more than once, without our knowing.</param>
internal readonly record struct NlmCallResult<TResult>(TResult? Result, string? Reason, bool MayBeDelivered)
    where TResult : struct;
