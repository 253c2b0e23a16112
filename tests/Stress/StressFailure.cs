namespace Kworker.Stress;

/// <summary>What a work function throws on purpose.</summary>
public sealed class StressFailure() : Exception("thrown on purpose");
