namespace Kworker.Apps.Nfsd;

/// <summary>What keeps the server from serving, in one line that says what to do.</summary>
internal sealed class StartupException(string message, int exitCode = 1, Exception? innerException = null) : Exception(message, innerException)
{
    public int ExitCode { get; } = exitCode;
}
