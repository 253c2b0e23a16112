namespace Kworker.Nfsd.V4;

/// <summary>Which attributes there are, and of what kind (RFC 7530 section 5, RFC 8881 section 5).</summary>
internal static class Fattr4
{
    /// <summary>Those that can be set, and only be set.</summary>
    private static readonly Bitmap4 s_writeOnly = Bitmap4.Of(Fattr4Id.TimeAccessSet, Fattr4Id.TimeModifySet);

    private static readonly Bitmap4 s_supported40 = Bitmap4.Of(
        Fattr4Id.SupportedAttrs, Fattr4Id.Type, Fattr4Id.FhExpireType, Fattr4Id.Change, Fattr4Id.Size, Fattr4Id.LinkSupport,
        Fattr4Id.SymlinkSupport, Fattr4Id.NamedAttr, Fattr4Id.Fsid, Fattr4Id.UniqueHandles, Fattr4Id.LeaseTime, Fattr4Id.RdAttrError,
        Fattr4Id.Acl, Fattr4Id.AclSupport, Fattr4Id.CanSetTime, Fattr4Id.CaseInsensitive, Fattr4Id.CasePreserving,
        Fattr4Id.ChownRestricted, Fattr4Id.FileHandle, Fattr4Id.FileId, Fattr4Id.FilesAvail, Fattr4Id.FilesFree, Fattr4Id.FilesTotal,
        Fattr4Id.Homogeneous, Fattr4Id.MaxFileSize, Fattr4Id.MaxLink, Fattr4Id.MaxName, Fattr4Id.MaxRead, Fattr4Id.MaxWrite,
        Fattr4Id.Mode, Fattr4Id.NoTrunc, Fattr4Id.NumLinks, Fattr4Id.Owner, Fattr4Id.OwnerGroup, Fattr4Id.RawDev, Fattr4Id.SpaceAvail,
        Fattr4Id.SpaceFree, Fattr4Id.SpaceTotal, Fattr4Id.SpaceUsed, Fattr4Id.TimeAccess, Fattr4Id.TimeAccessSet, Fattr4Id.TimeDelta,
        Fattr4Id.TimeMetadata, Fattr4Id.TimeModify, Fattr4Id.TimeModifySet, Fattr4Id.MountedOnFileId);

    private static readonly Bitmap4 s_supported41 = s_supported40.With(Fattr4Id.SuppAttrExclCreat);

    private static readonly Bitmap4 s_supported42 = s_supported41.With(Fattr4Id.XattrSupport);

    /// <summary>What SETATTR, CREATE and OPEN may set.</summary>
    public static Bitmap4 Settable { get; } = Bitmap4.Of(
        Fattr4Id.Size, Fattr4Id.Acl, Fattr4Id.Mode, Fattr4Id.Owner, Fattr4Id.OwnerGroup, Fattr4Id.TimeAccessSet, Fattr4Id.TimeModifySet);

    /// <summary>
    /// <c>suppattr_exclcreat</c>: what an EXCLUSIVE4_1 open may set. Times it may not: they hold the verifier until the client sets them.
    /// </summary>
    public static Bitmap4 SettableByExclusiveCreate { get; } = Bitmap4.Of(Fattr4Id.Size, Fattr4Id.Acl, Fattr4Id.Mode, Fattr4Id.Owner, Fattr4Id.OwnerGroup);

    /// <summary>The set attributes in the answer to an exclusive create: where the verifier was kept, so that the client sets them right.</summary>
    public static Bitmap4 VerifierAttributes { get; } = Bitmap4.Of(Fattr4Id.TimeAccess, Fattr4Id.TimeModify);

    /// <summary>What costs a question for the file system's space (FSSTAT).</summary>
    public static Bitmap4 OfSpace { get; } = Bitmap4.Of(
        Fattr4Id.FilesAvail, Fattr4Id.FilesFree, Fattr4Id.FilesTotal, Fattr4Id.SpaceAvail, Fattr4Id.SpaceFree, Fattr4Id.SpaceTotal);

    /// <summary>What costs a question for its limits (PATHCONF).</summary>
    public static Bitmap4 OfLimits { get; } = Bitmap4.Of(
        Fattr4Id.CaseInsensitive, Fattr4Id.CasePreserving, Fattr4Id.ChownRestricted, Fattr4Id.MaxLink, Fattr4Id.MaxName, Fattr4Id.NoTrunc);

    /// <summary>What costs a question for its abilities (FSINFO).</summary>
    public static Bitmap4 OfCapabilities { get; } = Bitmap4.Of(
        Fattr4Id.LinkSupport, Fattr4Id.SymlinkSupport, Fattr4Id.CanSetTime, Fattr4Id.Homogeneous, Fattr4Id.MaxFileSize, Fattr4Id.TimeDelta);

    /// <summary>What is known without a look at the file: a request for nothing else is answered at once.</summary>
    public static Bitmap4 WithoutFile { get; } = Bitmap4.Of(
        Fattr4Id.SupportedAttrs, Fattr4Id.FhExpireType, Fattr4Id.NamedAttr, Fattr4Id.UniqueHandles, Fattr4Id.LeaseTime, Fattr4Id.RdAttrError,
        Fattr4Id.AclSupport, Fattr4Id.FileHandle, Fattr4Id.MaxRead, Fattr4Id.MaxWrite, Fattr4Id.SuppAttrExclCreat, Fattr4Id.XattrSupport);

    public static Bitmap4 Supported(uint minorVersion) => minorVersion switch
    {
        0 => s_supported40,
        1 => s_supported41,
        _ => s_supported42,
    };

    /// <summary>Whether one of these can be set, but not be asked for: INVAL (RFC 7530 section 5.5).</summary>
    public static bool HasWriteOnly(Bitmap4 asked) => asked.Overlaps(s_writeOnly);

    /// <summary>What of a request GETATTR and READDIR answer: what is not supported is left out (RFC 7530 section 16.7.4).</summary>
    public static Bitmap4 Readable(uint minorVersion, Bitmap4 asked) => Without(asked & Supported(minorVersion), s_writeOnly);

    /// <summary>Whether attributes may be set: ATTRNOTSUPP for those that are not there, INVAL for those that can only be read.</summary>
    public static Nfsstat4 CheckSettable(uint minorVersion, Bitmap4 given) =>
        given.IsWithin(Settable) ? Nfsstat4.Ok : given.IsWithin(Supported(minorVersion)) ? Nfsstat4.Inval : Nfsstat4.AttrNotSupp;

    private static Bitmap4 Without(Bitmap4 all, Bitmap4 some) => new(all.Word0 & ~some.Word0, all.Word1 & ~some.Word1, all.Word2 & ~some.Word2);
}
