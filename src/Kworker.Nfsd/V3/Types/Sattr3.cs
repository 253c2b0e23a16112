using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfs3;

internal readonly partial record struct SetTime
{
    // TimeHow has the same numbers as NfsTimeSource.
    public NfsTimeChange ToChange() => new((NfsTimeSource)SetIt, Time.ToTime());
}

internal readonly partial record struct Sattr3
{
    private const uint PermissionBits = 0xfff;

    /// <summary>What is to be set; false if a time is none.</summary>
    public bool TryGetChanges(out NfsAttributeChanges changes)
    {
        changes = new NfsAttributeChanges
        {
            Mode = Mode & PermissionBits,
            Uid = Uid,
            Gid = Gid,
            Size = Size,
            AccessTime = Atime.ToChange(),
            ModifyTime = Mtime.ToChange(),
        };
        return Atime.Time.IsValid && Mtime.Time.IsValid;
    }
}
