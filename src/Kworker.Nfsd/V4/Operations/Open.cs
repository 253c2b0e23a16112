using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// OPEN, RFC 7530 section 16.16, RFC 8881 section 18.16.
internal sealed partial class Nfs4Program
{
    private const uint ResultConfirm = 2; // OPEN4_RESULT_CONFIRM
    private const uint ResultPosixLocks = 4; // OPEN4_RESULT_LOCKTYPE_POSIX
    private const uint ResultMayNotifyLock = 0x20; // OPEN4_RESULT_MAY_NOTIFY_LOCK

    /// <summary>How often a name may come and go under us before we give up.</summary>
    private const int MaxCreateAttempts = 8;

    /// <summary>A file that OPEN found or made.</summary>
    private record struct OpenedFile(NfsObject Object, NfsAttributes? Attributes, bool IsNew, ChangeInfo4 Directory, Bitmap4 Set);

    private Nfsstat4 Open(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        OpenArguments open = OpenArguments.Read(ref arguments, context.MinorVersion);
        Nfsstat4 status = FindClient(context, open.Owner.Clientid, out NfsClient? client);
        if (status != Nfsstat4.Ok)
            return status;
        var name = new OwnerName(open.Owner.Owner);
        if (context.MinorVersion > 0)
        {
            status = _state.FindOpenOwner(client!, name, out OpenOwner? owner);
            return status == Nfsstat4.Ok ? Open(context, open, owner!, reply) : status;
        }
        status = _state.EnterOpenOwner(client!, name, open.Seqid, out OpenOwner? entered, out SequenceVerdict verdict);
        if (status != Nfsstat4.Ok)
            return status;
        OwnerSequence sequence = entered!.Sequence;
        if (verdict == SequenceVerdict.Replay)
        {
            status = Replay(context, sequence, reply);
            sequence.Exit();
            return status;
        }
        status = Nfsstat4.ServerFault;
        try
        {
            return status = Open(context, open, entered, reply);
        }
        finally
        {
            EndInSequence(context, sequence, status, reply, withCurrent: true);
        }
    }

    private Nfsstat4 Open(CompoundContext context, in OpenArguments open, OpenOwner owner, XdrWriter reply)
    {
        bool isReclaim = open.By == OpenArguments.Claim.Previous;
        Nfsstat4 status = open.Fault;
        if (status == Nfsstat4.Ok)
            status = CheckClaim(context, open);
        if (status == Nfsstat4.Ok)
            status = _state.CheckOpen(owner.Client, isReclaim);
        if (status != Nfsstat4.Ok)
            return status;
        if (isReclaim)
            owner.IsConfirmed = true;

        status = open.HasName ? FindOrCreate(context, open, out OpenedFile file) : TakeCurrent(context, out file);
        if (status == Nfsstat4.Ok && !file.IsNew)
            status = CheckMayOpen(context, file, open, isReclaim);
        if (status != Nfsstat4.Ok)
            return status;

        status = _state.Open(owner, KeyOf(file.Object), open.ShareAccess, (ShareAccess)open.Deny, isReclaim, out Stateid4 stateid);
        if (status == Nfsstat4.Ok && !file.IsNew && open is { Creates: true, How: OpenArguments.Mode.Unchecked, Attributes.Changes.Size: 0 })
        {
            status = Cut(context, ref file);
            if (status != Nfsstat4.Ok)
                _state.TakeBack(owner, stateid);
        }
        if (status != Nfsstat4.Ok)
            return status;

        context.SetCurrent(file.Object);
        Answer(context, status, stateid, reply);
        file.Directory.Write(reply);
        // Who may hear of a lock that has become free asks for it less often.
        bool mayNotify = context.Slot is SessionSlot { Session.Callbacks.CanTell: true };
        reply.WriteUInt32(ResultPosixLocks | (owner.IsConfirmed ? 0 : ResultConfirm) | (mayNotify ? ResultMayNotifyLock : 0));
        file.Set.Write(reply);
        WriteDelegation(context, open, owner, file, reply);
        return Nfsstat4.Ok;
    }

    /// <summary>Whether the claim is one that can be made here.</summary>
    private Nfsstat4 CheckClaim(CompoundContext context, in OpenArguments open)
    {
        switch (open.By)
        {
            case OpenArguments.Claim.DelegatePrevious or OpenArguments.Claim.DelegatePreviousFileHandle:
                return Nfsstat4.NotSupp; // nobody's delegations outlive him
            case OpenArguments.Claim.DelegateCurrent or OpenArguments.Claim.DelegateCurrentFileHandle:
                Stateid4 delegation = open.Delegation;
                Nfsstat4 status = FindState(context, ref delegation, out StateObject? _);
                return status == Nfsstat4.Ok ? Nfsstat4.BadStateid : status; // none is given out, so it names something else
            case OpenArguments.Claim.Previous when open.Creates:
                return Nfsstat4.Inval;
            default:
                return open.Creates && !open.HasName ? Nfsstat4.Inval : Nfsstat4.Ok;
        }
    }

    /// <summary>The file is the current one: CLAIM_PREVIOUS, CLAIM_FH.</summary>
    private static Nfsstat4 TakeCurrent(CompoundContext context, out OpenedFile file)
    {
        NfsObject current = context.Current;
        NfsStatus status = current.FileSystem.GetAttributes(current.Caller, current.Handle, out NfsAttributes attributes);
        file = new OpenedFile(current, attributes, false, default, default);
        return status == NfsStatus.Ok ? CheckIsFile(context, attributes.Type) : Nfs4Errors.Of(status);
    }

    /// <summary>The file has a name in the current directory: it is there, or is made.</summary>
    private static Nfsstat4 FindOrCreate(CompoundContext context, in OpenArguments open, out OpenedFile file)
    {
        NfsObject directory = context.Current;
        if (open.Creates && open.How != OpenArguments.Mode.Unchecked)
            return Make(context, directory, open, out file);
        // With UNCHECKED one must know whether the file was there: only then is it to be asked who may open it.
        for (int attempt = 0; attempt < MaxCreateAttempts; attempt++)
        {
            Nfsstat4 status = Find(context, open.Name.Span, out NfsObject found, out NfsAttributes? attributes);
            if (status == Nfsstat4.Ok)
                return TakeFound(context, directory, found, attributes, open, out file);
            if (status != Nfsstat4.NoEnt || !open.Creates)
            {
                file = default;
                return status;
            }
            status = Make(context, directory, open, out file);
            if (status != Nfsstat4.Exist)
                return status;
        }
        file = default;
        return Nfsstat4.Delay;
    }

    private static Nfsstat4 TakeFound(
        CompoundContext context, in NfsObject directory, in NfsObject found, in NfsAttributes? attributes, in OpenArguments open, out OpenedFile file)
    {
        file = new OpenedFile(found, found.Complete(attributes), false, default, default);
        if (file.Attributes is not { } known)
            return Nfsstat4.Stale;
        Nfsstat4 status = CheckIsFile(context, known.Type);
        if (status != Nfsstat4.Ok)
            return status;
        ulong change = directory.Complete(default(NfsAttributes?)) is { } now ? ChangeAttribute.Of(now) : 0;
        file.Directory = new ChangeInfo4(false, change, change);
        return Nfsstat4.Ok;
    }

    /// <summary>Makes the file. One that is there already is an error, unless an exclusive create made it that is sent again.</summary>
    private static Nfsstat4 Make(CompoundContext context, in NfsObject directory, in OpenArguments open, out OpenedFile file)
    {
        file = default;
        NfsStatus status = directory.CheckWritable();
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        bool isExclusive = open.How is OpenArguments.Mode.Exclusive or OpenArguments.Mode.ExclusiveWithAttributes;
        NfsAttributeChanges attributes = open.Attributes.Changes;
        NfsCreateHow how = isExclusive ? NfsCreateHow.Exclusive(open.Verifier) : NfsCreateHow.Guarded(attributes);
        status = directory.FileSystem.Create(directory.Caller, directory.Handle, open.Name.Span, how, out NfsFile made, out NfsChange change);
        if (status != NfsStatus.Ok)
            return DirectoryError(directory, status);
        NfsAttributes? known = made.Attributes;
        if (isExclusive && open.Attributes.Given is { IsEmpty: false })
        {
            status = directory.FileSystem.SetAttributes(directory.Caller, made.Handle, attributes, null, out NfsChange set);
            if (status != NfsStatus.Ok)
                return Nfs4Errors.Of(status);
            known = set.After ?? known;
        }
        Bitmap4 given = open.Attributes.Given;
        file = new OpenedFile(
            new NfsObject(directory.Export, directory.FileSystem, directory.Options, directory.Caller, made.Handle), known, true,
            ChangeAttribute.InfoOf(directory.Complete(change)), isExclusive ? given | Fattr4.VerifierAttributes : given);
        return Nfsstat4.Ok;
    }

    /// <summary>Only regular files can be opened.</summary>
    private static Nfsstat4 CheckIsFile(CompoundContext context, NfsFileType type) => type switch
    {
        NfsFileType.Regular => Nfsstat4.Ok,
        NfsFileType.Directory => Nfsstat4.IsDir,
        NfsFileType.SymbolicLink => Nfsstat4.Symlink,
        _ => context.MinorVersion > 0 ? Nfsstat4.WrongType : Nfsstat4.Symlink, // RFC 7530 section 16.16.6 has no other
    };

    /// <summary>Whether the caller may do with the file what it opens it for. Its owner may reclaim whatever the mode bits say by now.</summary>
    private static Nfsstat4 CheckMayOpen(CompoundContext context, in OpenedFile file, in OpenArguments open, bool isReclaim)
    {
        NfsObject found = file.Object;
        bool writes = (open.ShareAccess & ShareAccess.Write) != 0 || open is { Creates: true, Attributes.Changes.Size: 0 };
        if (writes && found.CheckWritable() is not NfsStatus.Ok and var readOnly)
            return Nfs4Errors.Of(readOnly);
        if (isReclaim && file.Attributes?.Uid == found.Caller.Uid)
            return Nfsstat4.Ok;
        const NfsAccess reading = NfsAccess.Read | NfsAccess.Execute; // who may run it may read it
        const NfsAccess writing = NfsAccess.Modify | NfsAccess.Extend;
        NfsStatus status = found.FileSystem.Access(found.Caller, found.Handle, reading | writing, out NfsAccess granted, out _);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        if ((open.ShareAccess & ShareAccess.Read) != 0 && (granted & reading) == 0)
            return Nfsstat4.Access;
        return writes && (granted & writing) == 0 ? Nfsstat4.Access : Nfsstat4.Ok;
    }

    /// <summary>UNCHECKED with a size of 0 cuts a file that is there; no other attribute is set (RFC 7530 section 16.16.4).</summary>
    private static Nfsstat4 Cut(CompoundContext context, ref OpenedFile file)
    {
        NfsObject found = file.Object;
        NfsStatus status = found.FileSystem.SetAttributes(found.Caller, found.Handle, new NfsAttributeChanges { Size = 0 }, null, out _);
        if (status == NfsStatus.Ok)
            file.Set = Bitmap4.Of(Fattr4Id.Size);
        return Nfs4Errors.Of(status);
    }

    /// <summary><c>open_delegation4</c>: none.</summary>
    private static void WriteDelegation(CompoundContext context, in OpenArguments open, OpenOwner owner, in OpenedFile file, XdrWriter reply)
    {
        const uint none = 0, noneExtended = 3;
        const uint wantsNone = 0x0400, cancels = 0x0500;
        const uint notWanted = 0, resource = 2, cancelled = 7;
        if (context.MinorVersion == 0 || open.Wish == 0)
        {
            reply.WriteUInt32(none);
            return;
        }
        // Who says something about delegations is told why there is none (RFC 8881 section 18.16.3).
        reply.WriteUInt32(noneExtended);
        switch (open.Wish)
        {
            case wantsNone:
                reply.WriteUInt32(notWanted);
                break;
            case cancels:
                reply.WriteUInt32(cancelled);
                break;
            default:
                reply.WriteUInt32(resource);
                reply.WriteBoolean(false); // nor will it be told when there is one
                break;
        }
    }
}
