using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>A <c>fattr4</c> that a client sends to have attributes set: SETATTR, CREATE, OPEN.</summary>
/// <param name="Given">Which.</param>
/// <param name="Changes">To what; an acl has become a mode.</param>
internal readonly record struct Fattr4Changes(Bitmap4 Given, NfsAttributeChanges Changes)
{
    private const uint SetToServerTime = 0, SetToClientTime = 1;
    private const uint ModeMask = 0xfff;

    /// <summary>Reads it whole, whatever is wrong with it.</summary>
    /// <param name="reader">Stands at the bitmap, then behind the values.</param>
    /// <param name="minorVersion">Which attributes there are.</param>
    /// <param name="given">What was read.</param>
    /// <returns>OK; ATTRNOTSUPP, INVAL, BADOWNER; BADXDR if the values are not as long as they should be.</returns>
    /// <exception cref="XdrException">The bytes end before.</exception>
    public static Nfsstat4 Read(ref XdrReader reader, uint minorVersion, out Fattr4Changes given)
    {
        Bitmap4 bitmap = Bitmap4.Read(ref reader);
        ReadOnlySpan<byte> bytes = reader.ReadOpaque();
        given = new Fattr4Changes(bitmap, default);
        Nfsstat4 status = Fattr4.CheckSettable(minorVersion, bitmap);
        if (status != Nfsstat4.Ok)
            return status;

        var values = new XdrReader(bytes);
        NfsAttributeChanges changes = default;
        uint? aclMode = null;
        Bitmap4 rest = bitmap;
        while (Bitmap4.TryTakeLowest(ref rest, out Fattr4Id attribute))
        {
            Nfsstat4 one = ReadValue(ref values, attribute, ref changes, ref aclMode);
            if (status == Nfsstat4.Ok)
                status = one;
        }
        if (values.Remaining != 0)
            return Nfsstat4.BadXdr;
        // Both at once: the mode has the last word (RFC 8881 section 6.4.1.3 has them in this order).
        changes.Mode ??= aclMode;
        given = new Fattr4Changes(bitmap, changes);
        return status;
    }

    private static Nfsstat4 ReadValue(ref XdrReader values, Fattr4Id attribute, ref NfsAttributeChanges changes, ref uint? aclMode)
    {
        Nfsstat4 status;
        switch (attribute)
        {
            case Fattr4Id.Size:
                changes.Size = values.ReadUInt64();
                return Nfsstat4.Ok;
            case Fattr4Id.Acl:
                status = Acl4.Read(ref values, out uint permissions);
                aclMode = permissions;
                return status;
            case Fattr4Id.Mode:
                uint mode = values.ReadUInt32();
                changes.Mode = mode & ModeMask;
                return (mode & ~ModeMask) == 0 ? Nfsstat4.Ok : Nfsstat4.Inval;
            case Fattr4Id.Owner:
                status = OwnerNames.ReadUser(ref values, out uint uid);
                changes.Uid = uid;
                return status;
            case Fattr4Id.OwnerGroup:
                status = OwnerNames.ReadGroup(ref values, out uint gid);
                changes.Gid = gid;
                return status;
            case Fattr4Id.TimeAccessSet:
                status = ReadTime(ref values, out NfsTimeChange access);
                changes.AccessTime = access;
                return status;
            case Fattr4Id.TimeModifySet:
                status = ReadTime(ref values, out NfsTimeChange modify);
                changes.ModifyTime = modify;
                return status;
            default:
                return Nfsstat4.AttrNotSupp;
        }
    }

    private static Nfsstat4 ReadTime(ref XdrReader values, out NfsTimeChange time)
    {
        time = NfsTimeChange.Now;
        switch (values.ReadUInt32())
        {
            case SetToServerTime:
                return Nfsstat4.Ok;
            case SetToClientTime:
                NfsTime4 given = NfsTime4.Read(ref values);
                time = NfsTimeChange.To(given.ToTime());
                return given.Nseconds < 1_000_000_000 ? Nfsstat4.Ok : Nfsstat4.Inval;
            default:
                return Nfsstat4.BadXdr;
        }
    }
}
