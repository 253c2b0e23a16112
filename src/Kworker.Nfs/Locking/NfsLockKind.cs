namespace Kworker.Nfs;

/// <summary>How a range is locked.</summary>
public enum NfsLockKind
{
    /// <summary>Others may lock it so, too (<c>F_RDLCK</c>). The file need be open for reading on some servers.</summary>
    Shared,

    /// <summary>Nobody else may lock it (<c>F_WRLCK</c>). The file need be open for writing on some servers.</summary>
    Exclusive,
}
