using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfs3;

// How file systems' attributes go out: the types themselves are the protocol's.

internal readonly partial record struct Fattr3
{
    private const uint PermissionBits = 0xfff;

    public static Fattr3 From(in NfsAttributes attributes) => new(
        (Ftype3)attributes.Type,
        attributes.Mode & PermissionBits,
        attributes.LinkCount,
        attributes.Uid,
        attributes.Gid,
        attributes.Size,
        attributes.Used,
        new SpecData3(attributes.DeviceMajor, attributes.DeviceMinor),
        attributes.FileSystemId,
        attributes.FileId,
        NfsTime3.From(attributes.AccessTime),
        NfsTime3.From(attributes.ModifyTime),
        NfsTime3.From(attributes.ChangeTime));
}

internal readonly partial record struct PostOpAttr
{
    public static PostOpAttr From(in NfsAttributes? attributes) => new(attributes is { } known ? Fattr3.From(known) : null);
}
