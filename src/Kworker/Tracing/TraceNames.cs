namespace Kworker;

/// <summary>By these names tools find what the library tells of itself.</summary>
internal static class TraceNames
{
    /// <summary>Of the event source, the meter and the activity source.</summary>
    internal const string Source = "Kworker";
}
