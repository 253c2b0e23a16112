namespace Kworker.Lockd.Locks;

/// <summary>What a byte-range lock lets others do.</summary>
internal enum LockKind : byte
{
    /// <summary>Shared: others may read-lock the same bytes.</summary>
    Read,

    /// <summary>Exclusive: nobody else may lock the same bytes.</summary>
    Write,
}
