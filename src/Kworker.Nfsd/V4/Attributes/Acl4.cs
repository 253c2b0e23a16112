using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>
/// The acl attribute as far as mode bits carry it: RFC 7530 section 6.4, RFC 8881 section 6.4. It is made of the mode when it is asked for, and becomes the mode when
/// it is set, if it says nothing that a mode cannot say.
/// </summary>
internal static class Acl4
{
    /// <summary><c>ACL4_SUPPORT_ALLOW_ACL | ACL4_SUPPORT_DENY_ACL</c>.</summary>
    public const uint Support = 3;

    private const int MaxEntries = 1024;
    private const int MaxWho = 1024;

    private const uint Allowed = 0, Denied = 1;

    private const uint ReadData = 0x1, WriteData = 0x2, AppendData = 0x4, Execute = 0x20, DeleteChild = 0x40, ReadAttributes = 0x80,
        WriteAttributes = 0x100, ReadAcl = 0x20000, WriteAcl = 0x40000, Synchronize = 0x100000;

    private const uint Everybody = ReadAttributes | ReadAcl | Synchronize;
    private const uint OwnerOnly = WriteAttributes | WriteAcl;
    private const uint AllKnown = 0x1f01ff;
    private const uint AllFlags = 0xff;
    private const uint IdentifierGroup = 0x40; // The name is a group's: no other flag is taken.

    private static ReadOnlySpan<byte> Owner => "OWNER@"u8;

    private static ReadOnlySpan<byte> Group => "GROUP@"u8;

    private static ReadOnlySpan<byte> Everyone => "EVERYONE@"u8;

    /// <summary>Writes the list that means the same as <paramref name="mode"/>: as Linux's nfsd does it, least entries first to last.</summary>
    public static void Write(XdrWriter writer, uint mode, bool isDirectory)
    {
        uint owner = mode >> 6 & 7, group = mode >> 3 & 7, other = mode & 7;
        uint ownerDenied = ~owner & (group | other); // What a later entry would grant.
        uint groupDenied = ~group & other;
        writer.WriteCount(3 + (ownerDenied != 0 ? 1 : 0) + (groupDenied != 0 ? 1 : 0));
        if (ownerDenied != 0)
            WriteEntry(writer, Denied, RightsOf(ownerDenied, isDirectory), Owner);
        WriteEntry(writer, Allowed, RightsOf(owner, isDirectory) | Everybody | OwnerOnly, Owner);
        WriteEntry(writer, Allowed, RightsOf(group, isDirectory) | Everybody, Group);
        if (groupDenied != 0)
            WriteEntry(writer, Denied, RightsOf(groupDenied, isDirectory), Group);
        WriteEntry(writer, Allowed, RightsOf(other, isDirectory) | Everybody, Everyone);
    }

    /// <summary>Reads a list, and finds the nine bits of a mode that mean the same.</summary>
    /// <returns>OK; ATTRNOTSUPP if no mode does; INVAL if it is no list; BADOWNER for somebody who is nobody.</returns>
    public static Nfsstat4 Read(ref XdrReader reader, out uint permissions)
    {
        permissions = 0;
        Span<uint> granted = stackalloc uint[3], decided = stackalloc uint[3]; // Of owner, group, others; three bits each.
        granted.Clear();
        decided.Clear();
        var status = Nfsstat4.Ok;
        int count = reader.ReadCount(MaxEntries, 4 * sizeof(uint));
        for (int i = 0; i < count; i++)
        {
            uint type = reader.ReadUInt32();
            uint flags = reader.ReadUInt32();
            uint mask = reader.ReadUInt32();
            ReadOnlySpan<byte> who = reader.ReadOpaque(MaxWho);
            if (status != Nfsstat4.Ok)
                continue; // Read to its end all the same.
            if (type > 3 || (flags & ~AllFlags) != 0 || (mask & ~AllKnown) != 0)
                status = Nfsstat4.Inval;
            else if (type is not (Allowed or Denied) || (flags & ~IdentifierGroup) != 0)
                status = Nfsstat4.AttrNotSupp; // Audits, alarms, inheritance.
            else if (who.SequenceEqual(Owner))
                Decide(granted, decided, 0, 1, type, mask);
            else if (who.SequenceEqual(Group))
                Decide(granted, decided, 1, 2, type, mask);
            else if (who.SequenceEqual(Everyone))
                Decide(granted, decided, 0, 3, type, mask);
            else
                status = CheckNamed(who, (flags & IdentifierGroup) != 0, mask);
        }
        permissions = granted[0] << 6 | granted[1] << 3 | granted[2];
        return status;
    }

    /// <summary>An entry of somebody by name: a mode cannot say it, unless it says nothing.</summary>
    private static Nfsstat4 CheckNamed(ReadOnlySpan<byte> who, bool isGroup, uint mask)
    {
        Nfsstat4 known = OwnerNames.Find(who, isGroup, out _);
        return known != Nfsstat4.Ok ? known : (mask & ~Everybody) == 0 ? Nfsstat4.Ok : Nfsstat4.AttrNotSupp;
    }

    /// <summary>The first entry that speaks of a right decides it.</summary>
    private static void Decide(Span<uint> granted, Span<uint> decided, int from, int to, uint type, uint mask)
    {
        uint bits = ((mask & ReadData) != 0 ? 4u : 0) | ((mask & (WriteData | AppendData)) != 0 ? 2u : 0) | ((mask & Execute) != 0 ? 1u : 0);
        for (int i = from; i < to; i++)
        {
            if (type == Allowed)
                granted[i] |= bits & ~decided[i];
            decided[i] |= bits;
        }
    }

    private static uint RightsOf(uint bits, bool isDirectory)
    {
        uint rights = (bits & 4) != 0 ? ReadData : 0;
        if ((bits & 2) != 0)
            rights |= WriteData | AppendData | (isDirectory ? DeleteChild : 0);
        return (bits & 1) != 0 ? rights | Execute : rights;
    }

    private static void WriteEntry(XdrWriter writer, uint type, uint rights, ReadOnlySpan<byte> who)
    {
        writer.WriteUInt32(type);
        writer.WriteUInt32(0);
        writer.WriteUInt32(rights);
        writer.WriteOpaque(who);
    }
}
