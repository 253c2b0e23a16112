namespace Kworker.Nfsd.Exports;

/// <summary>An export that cannot be understood, or asks for what this server does not do. The message names place and word.</summary>
public sealed class ExportsFormatException : FormatException
{
    /// <summary>An export that cannot be understood.</summary>
    public ExportsFormatException()
    {
    }

    /// <summary>An export that cannot be understood.</summary>
    public ExportsFormatException(string message)
        : base(message)
    {
    }

    /// <summary>An export that cannot be understood.</summary>
    public ExportsFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
