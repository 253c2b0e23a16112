namespace Kworker.Apps.Nfsdcltrack;

/// <summary>The database cannot be used.</summary>
internal sealed class DatabaseException(string message, int exitCode) : Exception(message)
{
    /// <summary>What the program ends with.</summary>
    public int ExitCode { get; } = exitCode;
}
