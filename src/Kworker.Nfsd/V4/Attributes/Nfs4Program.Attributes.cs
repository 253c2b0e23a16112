using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// Attributes for replies: GETATTR, READDIR, VERIFY, NVERIFY.
internal sealed partial class Nfs4Program
{
    /// <summary>Asks the file system for what the attributes <paramref name="asked"/> are made of.</summary>
    private static NfsStatus GetValues(CompoundContext context, in NfsObject file, Bitmap4 asked, out Fattr4Values values)
    {
        values = default;
        if (asked.IsWithin(Fattr4.WithoutFile) && !asked.IsEmpty)
            return NfsStatus.Ok;
        NfsStatus status = file.FileSystem.GetAttributes(file.Caller, file.Handle, out NfsAttributes attributes);
        if (status != NfsStatus.Ok)
            return status;
        values.Attributes = attributes;
        values.MountedOnFileId = attributes.FileId;
        if (asked.Has(Fattr4Id.MountedOnFileId) && context.Tree.CoveredBy(file) is { } covered)
            values.MountedOnFileId = covered;
        return values.AskAboutFileSystem(file, asked);
    }

    /// <summary>Writes a <c>fattr4</c>: of the attributes asked for those that there are.</summary>
    /// <param name="context">The compound.</param>
    /// <param name="within">The file, or the directory that it is an entry of.</param>
    /// <param name="handle">The file's handle.</param>
    /// <param name="asked">The attributes; those that can only be set are left out.</param>
    /// <param name="values">What they are made of.</param>
    /// <param name="error">The value of rdattr_error.</param>
    /// <param name="reply">Takes it.</param>
    private void WriteAttributes(
        CompoundContext context, in NfsObject within, in NfsHandle handle, Bitmap4 asked, in Fattr4Values values, Nfsstat4 error, XdrWriter reply)
    {
        Bitmap4 answered = Fattr4.Readable(context.MinorVersion, asked);
        answered.Write(reply);
        int lengthAt = reply.Position;
        reply.WriteUInt32(0);
        WriteValues(context, within, handle, answered, values, error, reply);
        int end = reply.Position;
        reply.Position = lengthAt;
        reply.WriteInt32(end - lengthAt - sizeof(uint));
        reply.Position = end;
    }

    private void WriteValues(
        CompoundContext context, in NfsObject within, in NfsHandle handle, Bitmap4 answered, in Fattr4Values values, Nfsstat4 error, XdrWriter reply)
    {
        while (Bitmap4.TryTakeLowest(ref answered, out Fattr4Id attribute))
        {
            if (!TryWriteOfFile(attribute, values, reply))
                WriteOfServer(context, within, handle, attribute, values, error, reply);
        }
    }

    /// <summary>Attributes of the file itself.</summary>
    private static bool TryWriteOfFile(Fattr4Id attribute, in Fattr4Values values, XdrWriter reply)
    {
        NfsAttributes file = values.Attributes;
        switch (attribute)
        {
            case Fattr4Id.Type:
                reply.WriteUInt32((uint)file.Type); // The same numbers as NFSv3's.
                return true;
            case Fattr4Id.Change:
                reply.WriteUInt64(ChangeAttribute.Of(file));
                return true;
            case Fattr4Id.Size:
                reply.WriteUInt64(file.Size);
                return true;
            case Fattr4Id.Acl:
                Acl4.Write(reply, file.Mode, file.Type == NfsFileType.Directory);
                return true;
            case Fattr4Id.FileId:
                reply.WriteUInt64(file.FileId);
                return true;
            case Fattr4Id.Mode:
                reply.WriteUInt32(file.Mode);
                return true;
            case Fattr4Id.NumLinks:
                reply.WriteUInt32(file.LinkCount);
                return true;
            case Fattr4Id.Owner:
                OwnerNames.Write(reply, file.Uid);
                return true;
            case Fattr4Id.OwnerGroup:
                OwnerNames.Write(reply, file.Gid);
                return true;
            case Fattr4Id.RawDev:
                reply.WriteUInt32(file.DeviceMajor);
                reply.WriteUInt32(file.DeviceMinor);
                return true;
            case Fattr4Id.SpaceUsed:
                reply.WriteUInt64(file.Used);
                return true;
            case Fattr4Id.TimeAccess:
                NfsTime4.From(file.AccessTime).Write(reply);
                return true;
            case Fattr4Id.TimeMetadata:
                NfsTime4.From(file.ChangeTime).Write(reply);
                return true;
            case Fattr4Id.TimeModify:
                NfsTime4.From(file.ModifyTime).Write(reply);
                return true;
            case Fattr4Id.MountedOnFileId:
                reply.WriteUInt64(values.MountedOnFileId);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Attributes of the server, and of the file system as a whole.</summary>
    private void WriteOfServer(
        CompoundContext context, in NfsObject within, in NfsHandle handle, Fattr4Id attribute, in Fattr4Values values, Nfsstat4 error, XdrWriter reply)
    {
        switch (attribute)
        {
            case Fattr4Id.SupportedAttrs:
                Fattr4.Supported(context.MinorVersion).Write(reply);
                break;
            case Fattr4Id.FhExpireType:
                reply.WriteUInt32(0); // FH4_PERSISTENT
                break;
            case Fattr4Id.NamedAttr:
                reply.WriteBoolean(false);
                break;
            case Fattr4Id.Fsid:
                reply.WriteUInt64(within.Export.Id); // Each export is a file system of its own to clients.
                reply.WriteUInt64(0);
                break;
            case Fattr4Id.UniqueHandles:
                reply.WriteBoolean(true);
                break;
            case Fattr4Id.LeaseTime:
                reply.WriteUInt32(_state.LeaseSeconds);
                break;
            case Fattr4Id.RdAttrError:
                reply.WriteUInt32((uint)error);
                break;
            case Fattr4Id.AclSupport:
                reply.WriteUInt32(Acl4.Support);
                break;
            case Fattr4Id.FileHandle:
                Span<byte> sealedHandle = stackalloc byte[FileHandleSeal.MaxSealedLength];
                reply.WriteOpaque(sealedHandle[.._exports.Seal(within, handle, sealedHandle)]);
                break;
            case Fattr4Id.MaxRead or Fattr4Id.MaxWrite:
                reply.WriteUInt64(_maxTransfer);
                break;
            case Fattr4Id.XattrSupport:
                reply.WriteBoolean(within.FileSystem is INfsExtendedAttributes);
                break;
            case Fattr4Id.SuppAttrExclCreat:
                Fattr4.SettableByExclusiveCreate.Write(reply);
                break;
            default:
                WriteOfFileSystem(attribute, values, reply);
                break;
        }
    }

    private static void WriteOfFileSystem(Fattr4Id attribute, in Fattr4Values values, XdrWriter reply)
    {
        switch (attribute)
        {
            case Fattr4Id.LinkSupport:
                reply.WriteBoolean(values.Capabilities.HasHardLinks);
                break;
            case Fattr4Id.SymlinkSupport:
                reply.WriteBoolean(values.Capabilities.HasSymbolicLinks);
                break;
            case Fattr4Id.CanSetTime:
                reply.WriteBoolean(values.Capabilities.CanSetTime);
                break;
            case Fattr4Id.Homogeneous:
                reply.WriteBoolean(values.Capabilities.IsHomogeneous);
                break;
            case Fattr4Id.MaxFileSize:
                reply.WriteUInt64(values.Capabilities.MaxFileSize);
                break;
            case Fattr4Id.TimeDelta:
                NfsTime4.From(values.Capabilities.TimeGranularity).Write(reply);
                break;
            case Fattr4Id.CaseInsensitive:
                reply.WriteBoolean(values.Limits.CaseInsensitive);
                break;
            case Fattr4Id.CasePreserving:
                reply.WriteBoolean(values.Limits.CasePreserving);
                break;
            case Fattr4Id.ChownRestricted:
                reply.WriteBoolean(values.Limits.ChownRestricted);
                break;
            case Fattr4Id.MaxLink:
                reply.WriteUInt32(values.Limits.MaxLinks);
                break;
            case Fattr4Id.MaxName:
                reply.WriteUInt32(values.Limits.MaxNameLength);
                break;
            case Fattr4Id.NoTrunc:
                reply.WriteBoolean(values.Limits.NoTruncation);
                break;
            case Fattr4Id.FilesAvail:
                reply.WriteUInt64(values.Space.AvailableFiles);
                break;
            case Fattr4Id.FilesFree:
                reply.WriteUInt64(values.Space.FreeFiles);
                break;
            case Fattr4Id.FilesTotal:
                reply.WriteUInt64(values.Space.TotalFiles);
                break;
            case Fattr4Id.SpaceAvail:
                reply.WriteUInt64(values.Space.AvailableBytes);
                break;
            case Fattr4Id.SpaceFree:
                reply.WriteUInt64(values.Space.FreeBytes);
                break;
            case Fattr4Id.SpaceTotal:
                reply.WriteUInt64(values.Space.TotalBytes);
                break;
            default:
                throw new InvalidOperationException($"The attribute {attribute} is supported, and nobody writes it.");
        }
    }
}
