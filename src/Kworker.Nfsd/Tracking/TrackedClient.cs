using System.Diagnostics;

namespace Kworker.Nfsd.Tracking;

/// <summary>What the record has to know of one client instance. Made with it, once; its fields are changed by the tracking alone.</summary>
[DebuggerDisplay("{HexId,nq} session {HasSession} recorded {IsRecorded}")]
internal sealed class TrackedClient
{
    private volatile bool _isRecorded;
    private volatile bool _isGone;
    private volatile bool _isInDoubt;

    /// <summary>A client that nothing is known of yet.</summary>
    /// <param name="name">The string of nfs_client_id4, or co_ownerid; copied.</param>
    /// <param name="hasSession">Whether it speaks 4.1, and so says RECLAIM_COMPLETE.</param>
    public TrackedClient(ReadOnlySpan<byte> name, bool hasSession)
    {
        Name = name.ToArray();
        HexId = Convert.ToHexStringLower(name);
        HasSession = hasSession;
    }

    /// <summary>Its name as it gave it.</summary>
    public ReadOnlyMemory<byte> Name { get; }

    /// <summary>The name as the helper is given it.</summary>
    public string HexId { get; }

    /// <summary>Whether it speaks 4.1.</summary>
    public bool HasSession { get; }

    /// <summary>Whether this instance is known to be on stable storage (<c>NFSD4_CLIENT_STABLE</c>). Written while the name's line is held.</summary>
    public bool IsRecorded
    {
        get => _isRecorded;
        internal set => _isRecorded = value;
    }

    /// <summary>
    /// Whether a helper that was to record it failed, was killed or has not ended yet: it may have done so nevertheless, and is to be called when the client goes. Written
    /// while the name's line is held.
    /// </summary>
    public bool IsInDoubt
    {
        get => _isInDoubt;
        internal set => _isInDoubt = value;
    }

    /// <summary>The check that is under way, if its helper is slow: who asks again waits for that one. Written by the tracking, under its lock.</summary>
    public Task<TrackingResult>? SlowCheck { get; internal set; }

    /// <summary>Whether it has been removed: it is not recorded again, by whom ever.</summary>
    public bool IsGone
    {
        get => _isGone;
        internal set => _isGone = value;
    }
}
