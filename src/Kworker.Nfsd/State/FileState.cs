using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Nfsd.State;

/// <summary>A file that somebody has open (<c>nfs4_file</c>): which accesses there are, and which are denied to others. Its lock is itself.</summary>
[DebuggerDisplay("{_opens.Count} opens")]
internal sealed class FileState(FileKey key, LockFileKey locks)
{
    // All fields: under the lock of this object, which is taken inside a client's, never two at once.
    private readonly HashSet<OpenState> _opens = new(ReferenceEqualityComparer.Instance);
    private int _readers;
    private int _writers;
    private int _denyRead;
    private int _denyWrite;

    public FileKey Key { get; } = key;

    /// <summary>The same file, as the lock table knows it.</summary>
    public LockFileKey Locks { get; } = locks;

    /// <summary>It has gone from the table of files, so that nothing may be added to it.</summary>
    public bool IsGone { get; set; }

    public bool IsIdle => _opens.Count == 0;

    /// <summary>
    /// Whether what is asked for goes together with the opens that there are (RFC 7530 section 9.9), those of the same owner included: what it has denied, it has
    /// denied itself, too.
    /// </summary>
    public bool Allows(ShareAccess access, ShareAccess deny) =>
        !((access & ShareAccess.Read) != 0 && _denyRead > 0)
        && !((access & ShareAccess.Write) != 0 && _denyWrite > 0)
        && !((deny & ShareAccess.Read) != 0 && _readers > 0)
        && !((deny & ShareAccess.Write) != 0 && _writers > 0);

    /// <summary>Somebody's open that stands in the way of what is asked for.</summary>
    public IEnumerable<OpenState> InTheWay(ShareAccess access, ShareAccess deny) =>
        _opens.Where(open => (open.Deny & access) != 0 || (open.Access & deny) != 0);

    /// <summary>Adds an open, or changes what is counted of it.</summary>
    public void Set(OpenState open, ShareAccess access, ShareAccess deny)
    {
        if (_opens.Add(open))
            Count(ShareAccess.None, ShareAccess.None, access, deny);
        else
            Count(open.Access, open.Deny, access, deny);
    }

    /// <summary>Takes an open away, if it is there.</summary>
    public void Remove(OpenState open)
    {
        if (_opens.Remove(open))
            Count(open.Access, open.Deny, ShareAccess.None, ShareAccess.None);
    }

    private void Count(ShareAccess access, ShareAccess deny, ShareAccess newAccess, ShareAccess newDeny)
    {
        _readers += Has(newAccess, ShareAccess.Read) - Has(access, ShareAccess.Read);
        _writers += Has(newAccess, ShareAccess.Write) - Has(access, ShareAccess.Write);
        _denyRead += Has(newDeny, ShareAccess.Read) - Has(deny, ShareAccess.Read);
        _denyWrite += Has(newDeny, ShareAccess.Write) - Has(deny, ShareAccess.Write);
    }

    private static int Has(ShareAccess value, ShareAccess bit) => (value & bit) != 0 ? 1 : 0;
}

/// <summary><c>OPEN4_SHARE_ACCESS_*</c>, <c>OPEN4_SHARE_DENY_*</c>: by the same numbers.</summary>
[Flags]
internal enum ShareAccess : uint
{
    None = 0,
    Read = 1,
    Write = 2,
    Both = 3,
}
