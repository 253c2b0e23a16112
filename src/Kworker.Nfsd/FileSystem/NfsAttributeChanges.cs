namespace Kworker.Nfsd.FileSystem;

/// <summary>How a time stamp is to be set: <c>time_how</c> of RFC 1813 section 2.6, by the same numbers.</summary>
public enum NfsTimeSource
{
    /// <summary>It is left alone.</summary>
    DontChange = 0,
    /// <summary>It becomes the server's time: allowed to whoever may write.</summary>
    Server = 1,
    /// <summary>It becomes the time that the client gives: allowed to the owner.</summary>
    Client = 2,
}

/// <summary>What is to become of a time stamp: <c>set_atime</c>, <c>set_mtime</c> of RFC 1813 section 2.6.</summary>
/// <param name="Source">Where the time comes from.</param>
/// <param name="Time">The time, if it comes from the client.</param>
public readonly record struct NfsTimeChange(NfsTimeSource Source, NfsTime Time = default)
{
    /// <summary>Set it to the server's time.</summary>
    public static NfsTimeChange Now => new(NfsTimeSource.Server);

    /// <summary>Set it to <paramref name="time"/>.</summary>
    public static NfsTimeChange To(NfsTime time) => new(NfsTimeSource.Client, time);
}

/// <summary>Attributes to set, each optional: <c>sattr3</c> of RFC 1813 section 2.6. The default changes nothing.</summary>
public record struct NfsAttributeChanges
{
    /// <summary>Permission bits (12), or null to leave them.</summary>
    public uint? Mode { get; set; }

    /// <summary>Owner, or null to leave it.</summary>
    public uint? Uid { get; set; }

    /// <summary>Group, or null to leave it.</summary>
    public uint? Gid { get; set; }

    /// <summary>Size in bytes (cuts, or extends with zeros), or null to leave it.</summary>
    public ulong? Size { get; set; }

    /// <summary>What becomes of the access time.</summary>
    public NfsTimeChange AccessTime { get; set; }

    /// <summary>What becomes of the modify time.</summary>
    public NfsTimeChange ModifyTime { get; set; }
}
