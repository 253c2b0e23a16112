namespace Kworker.Lockd.Client;

/// <summary>A server's lock manager did not answer; it may later.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">Why; null if there is nothing more to say.</param>
/// <param name="hasNone">The server answered, and has no lock manager at the moment.</param>
internal sealed class NlmUnreachableException(string message, Exception? inner, bool hasNone) : NlmClientException(message, inner)
{
    public bool HasNone { get; } = hasNone;
}
