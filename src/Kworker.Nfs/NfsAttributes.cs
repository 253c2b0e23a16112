namespace Kworker.Nfs;

/// <summary>The type of a file, by the numbers of RFC 1813's <c>ftype3</c>.</summary>
public enum NfsFileType
{
    /// <summary>Not known.</summary>
    None = 0,
    /// <summary>Regular file.</summary>
    Regular = 1,
    /// <summary>Directory.</summary>
    Directory = 2,
    /// <summary>Block special device.</summary>
    BlockDevice = 3,
    /// <summary>Character special device.</summary>
    CharacterDevice = 4,
    /// <summary>Symbolic link.</summary>
    SymbolicLink = 5,
    /// <summary>Socket.</summary>
    Socket = 6,
    /// <summary>Named pipe.</summary>
    NamedPipe = 7,
}

/// <summary>What a server says about a file (<c>fattr3</c>).</summary>
/// <param name="Type">Its type.</param>
/// <param name="Mode">Permission bits with set-uid, set-gid and sticky.</param>
/// <param name="LinkCount">Number of hard links.</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="Size">Size in bytes.</param>
/// <param name="Used">Bytes of storage that it takes.</param>
/// <param name="DeviceMajor">Major number, for devices.</param>
/// <param name="DeviceMinor">Minor number, for devices.</param>
/// <param name="FileSystemId">The file system that it lives on.</param>
/// <param name="FileId">Its number within the file system.</param>
/// <param name="AccessTime">Time of the last read; precision is .NET's 100 ns.</param>
/// <param name="ModifyTime">Time of the last change to the content.</param>
/// <param name="ChangeTime">Time of the last change to content or attributes.</param>
public sealed record NfsAttributes(
    NfsFileType Type,
    int Mode,
    long LinkCount,
    uint Uid,
    uint Gid,
    long Size,
    long Used,
    uint DeviceMajor,
    uint DeviceMinor,
    ulong FileSystemId,
    ulong FileId,
    DateTimeOffset AccessTime,
    DateTimeOffset ModifyTime,
    DateTimeOffset ChangeTime)
{
    internal static NfsAttributes From(in Fattr3 attributes) => new(
        (NfsFileType)attributes.Type,
        (int)(attributes.Mode & 0xfff),
        attributes.Nlink,
        attributes.Uid,
        attributes.Gid,
        (long)Math.Min(attributes.Size, long.MaxValue),
        (long)Math.Min(attributes.Used, long.MaxValue),
        attributes.Rdev.Specdata1,
        attributes.Rdev.Specdata2,
        attributes.Fsid,
        attributes.Fileid,
        From(attributes.Atime),
        From(attributes.Mtime),
        From(attributes.Ctime));

    internal static NfsTime3 ToWire(DateTimeOffset time)
    {
        long ticks = Math.Clamp(time.UtcTicks - DateTime.UnixEpoch.Ticks, 0, uint.MaxValue * TimeSpan.TicksPerSecond);
        return new NfsTime3((uint)(ticks / TimeSpan.TicksPerSecond), (uint)(ticks % TimeSpan.TicksPerSecond * 100));
    }

    private static DateTimeOffset From(NfsTime3 time) =>
        DateTimeOffset.UnixEpoch.AddTicks((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nseconds / 100));
}

/// <summary>What is to be changed of a file (<c>sattr3</c>); what is null stays.</summary>
public sealed record NfsAttributeChanges
{
    /// <summary>Permission bits.</summary>
    public int? Mode { get; init; }

    /// <summary>Owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group.</summary>
    public uint? Gid { get; init; }

    /// <summary>Size in bytes: cuts, or fills with zeros.</summary>
    public long? Size { get; init; }

    /// <summary>Time of the last read.</summary>
    public DateTimeOffset? AccessTime { get; init; }

    /// <summary>Time of the last change to the content.</summary>
    public DateTimeOffset? ModifyTime { get; init; }

    internal Sattr3 ToWire() => new((uint?)Mode, Uid, Gid, (ulong?)Size, ToWire(AccessTime), ToWire(ModifyTime));

    private static SetTime ToWire(DateTimeOffset? time) =>
        time is { } known ? new SetTime(TimeHow.SetToClientTime, NfsAttributes.ToWire(known)) : default;
}
