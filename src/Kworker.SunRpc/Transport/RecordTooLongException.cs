namespace Kworker.SunRpc;

/// <summary>A peer claims a record longer than the limit; the connection is of no use any more.</summary>
internal sealed class RecordTooLongException(string message) : Exception(message);
