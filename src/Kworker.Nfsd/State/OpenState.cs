using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>What one owner has open of one file, by one OPEN or several (<c>nfs4_ol_stateid</c>).</summary>
internal sealed class OpenState(OpenOwner owner, FileState file, uint number) : StateObject(owner.Client, file, number)
{
    // Written under the client's lock and the file's; either is enough to read them. IO reads _access without.
    private byte _accessMap; // bit n: there was an OPEN with access n (OPEN_DOWNGRADE may go back to such only)
    private byte _denyMap;
    private volatile ShareAccess _access; // the union of _accessMap

    public OpenOwner Owner { get; } = owner;

    /// <summary>Locks of owners that were introduced by this open. Client's lock.</summary>
    public List<LockState> Locks { get; } = [];

    /// <summary>What may be done.</summary>
    public ShareAccess Access => _access;

    /// <summary>What others may not.</summary>
    public ShareAccess Deny { get; private set; }

    /// <summary>Client's lock: an OPEN gives more.</summary>
    public void Upgrade(ShareAccess access, ShareAccess deny)
    {
        File.Set(this, Access | access, Deny | deny);
        _accessMap |= (byte)(1 << (int)access);
        _denyMap |= (byte)(1 << (int)deny);
        Recount();
    }

    /// <summary>Client's lock and file's: goes back to what an earlier OPEN asked for (RFC 7530 section 16.19).</summary>
    /// <returns>OK, or INVAL if none did.</returns>
    public Nfsstat4 Downgrade(ShareAccess access, ShareAccess deny)
    {
        if ((_accessMap & 1 << (int)access) == 0 || (_denyMap & 1 << (int)deny) == 0)
            return Nfsstat4.Inval;
        byte accessMap = Within(_accessMap, access);
        byte denyMap = Within(_denyMap, deny);
        File.Set(this, access, deny);
        _accessMap = accessMap;
        _denyMap = denyMap;
        Recount();
        return Nfsstat4.Ok;
    }

    private void Recount()
    {
        _access = Union(_accessMap);
        Deny = Union(_denyMap);
    }

    private static byte Within(byte map, ShareAccess limit)
    {
        for (int value = 0; value <= (int)ShareAccess.Both; value++)
        {
            if ((value & ~(int)limit) != 0)
                map &= (byte)~(1 << value);
        }
        return map;
    }

    private static ShareAccess Union(byte map)
    {
        ShareAccess union = ShareAccess.None;
        for (int value = 0; value <= (int)ShareAccess.Both; value++)
        {
            if ((map & 1 << value) != 0)
                union |= (ShareAccess)value;
        }
        return union;
    }
}
