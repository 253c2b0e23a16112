using System.Diagnostics;

namespace Kworker.Nfsd.State;

/// <summary>Who opens: a client's process, or whatever it keeps apart (RFC 7530 section 9.1.5).</summary>
[DebuggerDisplay("{Name}, {Opens.Count} opens")]
internal sealed class OpenOwner(NfsClient client, OwnerName name)
{
    private volatile bool _isConfirmed;

    public NfsClient Client { get; } = client;

    public OwnerName Name { get; } = name;

    /// <summary>4.0 only.</summary>
    public OwnerSequence Sequence { get; } = new();

    /// <summary>4.0: OPEN_CONFIRM has come, so that a late retry of its first OPEN cannot be what made it. Written under the client's lock.</summary>
    public bool IsConfirmed
    {
        get => _isConfirmed;
        set => _isConfirmed = value;
    }

    /// <summary>What it has open, by file. Client's lock.</summary>
    public Dictionary<FileState, OpenState> Opens { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>4.0: what it closed last, so that a retry of the CLOSE finds the owner. Client's lock.</summary>
    public OpenState? LastClosed { get; set; }

    /// <summary>When it was used last, while it has nothing open. Client's lock.</summary>
    public long LastUse { get; set; }

    /// <summary>It is no longer in its client's table. Client's lock.</summary>
    public bool IsGone { get; set; }
}
