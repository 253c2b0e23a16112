using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary><c>OPEN4args</c>, RFC 7530 section 16.16, RFC 8881 section 18.16. Slices of the request: valid while it runs.</summary>
internal struct OpenArguments
{
    /// <summary><c>createmode4</c>.</summary>
    public enum Mode : uint
    {
        Unchecked = 0,
        Guarded = 1,
        Exclusive = 2,
        ExclusiveWithAttributes = 3, // EXCLUSIVE4_1
    }

    /// <summary><c>open_claim_type4</c>.</summary>
    public enum Claim : uint
    {
        Null = 0,
        Previous = 1,
        DelegateCurrent = 2,
        DelegatePrevious = 3,
        FileHandle = 4,
        DelegateCurrentFileHandle = 5,
        DelegatePreviousFileHandle = 6,
    }

    public uint Seqid;
    public uint Access;
    public uint Deny;
    public StateOwner4 Owner;
    public bool Creates;
    public Mode How;
    public ulong Verifier;
    public Fattr4Changes Attributes;
    public Claim By;
    public uint DelegationType;
    public Stateid4 Delegation;
    public ReadOnlyMemory<byte> Name;

    /// <summary>What is wrong with the attributes or the name; OK if nothing.</summary>
    public Nfsstat4 Fault;

    /// <summary>Whether the claim comes with a name in the current directory.</summary>
    public readonly bool HasName => By is Claim.Null or Claim.DelegateCurrent or Claim.DelegatePrevious;

    /// <summary>What of the access is no wish for a delegation (4.1).</summary>
    public readonly ShareAccess ShareAccess => (ShareAccess)(Access & 3);

    /// <summary>4.1: what it says about delegations, <c>OPEN4_SHARE_ACCESS_WANT_*</c>.</summary>
    public readonly uint Wish => Access & 0xff00;

    /// <exception cref="XdrException">The bytes end before, or have a value that is none.</exception>
    public static OpenArguments Read(ref XdrReader reader, uint minorVersion)
    {
        var read = new OpenArguments
        {
            Seqid = reader.ReadUInt32(),
            Access = reader.ReadUInt32(),
            Deny = reader.ReadUInt32(),
            Owner = StateOwner4.Read(ref reader),
        };
        uint openType = reader.ReadUInt32();
        if (openType > 1)
            reader.ThrowInvalid("opentype4", openType);
        read.Creates = openType == 1;
        if (read.Creates)
            read.ReadHow(ref reader, minorVersion);
        read.ReadClaim(ref reader, minorVersion);
        if (read.Fault == Nfsstat4.Ok)
            read.Fault = CheckShare(read.Access, read.Deny, minorVersion);
        return read;
    }

    private void ReadHow(ref XdrReader reader, uint minorVersion)
    {
        How = (Mode)reader.ReadUInt32();
        if (How > (minorVersion > 0 ? Mode.ExclusiveWithAttributes : Mode.Exclusive))
            reader.ThrowInvalid("createmode4", (long)How);
        if (How is Mode.Exclusive or Mode.ExclusiveWithAttributes)
            Verifier = reader.ReadUInt64();
        if (How == Mode.Exclusive)
            return;
        Fault = Fattr4Changes.Read(ref reader, minorVersion, out Attributes);
        if (Fault == Nfsstat4.Ok && How == Mode.ExclusiveWithAttributes && !Attributes.Given.IsWithin(Fattr4.SettableByExclusiveCreate))
            Fault = Nfsstat4.Inval;
    }

    private void ReadClaim(ref XdrReader reader, uint minorVersion)
    {
        By = (Claim)reader.ReadUInt32();
        if (By > (minorVersion > 0 ? Claim.DelegatePreviousFileHandle : Claim.DelegatePrevious))
            reader.ThrowInvalid("open_claim_type4", (long)By);
        if (By == Claim.Previous)
            DelegationType = reader.ReadUInt32();
        if (By is Claim.DelegateCurrent or Claim.DelegateCurrentFileHandle)
            Delegation = Stateid4.Read(ref reader);
        if (!HasName)
            return;
        Name = reader.ReadOpaqueMemory();
        if (Fault == Nfsstat4.Ok)
            Fault = Name4.Check(Name.Span);
    }

    private static Nfsstat4 CheckShare(uint access, uint deny, uint minorVersion)
    {
        const uint wishes = 0xff00, signals = 0x30000; // WANT_*, WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL, WANT_PUSH_DELEG_WHEN_UNCONTENDED
        const uint mostWished = 0x0500;
        uint share = access & 3;
        uint rest = access & ~3u;
        if (share == 0 || deny > 3)
            return Nfsstat4.Inval;
        if (minorVersion == 0)
            return rest == 0 ? Nfsstat4.Ok : Nfsstat4.Inval;
        return (rest & ~(wishes | signals)) == 0 && (rest & wishes) <= mostWished ? Nfsstat4.Ok : Nfsstat4.Inval;
    }
}
