using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

/// <summary><c>time_how</c>, RFC 1813 section 2.6. The same numbers as <see cref="NfsTimeSource"/>.</summary>
[Xdr]
internal enum TimeHow
{
    DontChange = 0,
    SetToServerTime = 1,
    SetToClientTime = 2,
}

/// <summary><c>set_atime</c> and <c>set_mtime</c>, RFC 1813 section 2.6: the same on the wire.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct SetTime(TimeHow SetIt, [XdrCase(TimeHow.SetToClientTime)] NfsTime3 Time = default)
{
    public NfsTimeChange ToChange() => new((NfsTimeSource)SetIt, Time.ToTime());
}

/// <summary><c>sattr3</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct Sattr3(uint? Mode, uint? Uid, uint? Gid, ulong? Size, SetTime Atime, SetTime Mtime)
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
