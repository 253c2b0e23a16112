namespace Kworker.SunRpc;

/// <summary>Bytes that are not the XDR form of what was to be read, or a value that has none. An RPC server answers GARBAGE_ARGS.</summary>
public sealed class XdrException : Exception
{
    /// <summary>Whether an <see cref="XdrWriter"/> was to hold more than it may: there is nothing wrong with what was read.</summary>
    public bool IsWriterFull { get; init; }

    /// <summary>An exception without a message of its own.</summary>
    public XdrException()
        : base("invalid XDR data")
    {
    }

    /// <summary>An exception that says what is wrong, and at which byte.</summary>
    public XdrException(string message)
        : base(message)
    {
    }

    /// <summary>An exception that says what is wrong and what caused it.</summary>
    public XdrException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
