namespace Kworker.Nfs;

/// <summary>A lock that the server did not give back after it had restarted: somebody else may have held it since.</summary>
public sealed class NfsLockLostEventArgs : EventArgs
{
    internal NfsLockLostEventArgs(long start, long length, NfsLockKind kind)
    {
        Start = start;
        Length = length;
        Kind = kind;
    }

    /// <summary>Its first byte.</summary>
    public long Start { get; }

    /// <summary>Its bytes; 0: to the end of the file.</summary>
    public long Length { get; }

    /// <summary>How it was held.</summary>
    public NfsLockKind Kind { get; }
}
