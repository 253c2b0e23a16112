namespace Kworker.Lockd.Client;

/// <summary>A server's lock manager cannot be reached, or there is none.</summary>
internal class NlmClientException(string message, Exception? inner = null) : Exception(message, inner);
