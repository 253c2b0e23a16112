namespace Kworker.Nfsd.V4;

/// <summary>What an operation wants to do by a stateid.</summary>
internal enum StateidUse
{
    /// <summary>READ.</summary>
    Read,

    /// <summary>WRITE.</summary>
    Write,

    /// <summary>SETATTR of the size.</summary>
    SetSize,
}
