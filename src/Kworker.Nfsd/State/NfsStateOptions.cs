using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.State;

/// <summary>How long state lives without a sign of its client, and how much of it there may be.</summary>
internal sealed class NfsStateOptions
{
    /// <summary>Bytes of a compound beside the data of a READ or WRITE in it.</summary>
    public const int MessageOverhead = 4096;

    /// <summary>How long a client may be silent before others may take what it holds (<c>lease_time</c>).</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>How long clients of before have after a start to reclaim.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>How long a silent client keeps what nobody else asks for.</summary>
    public TimeSpan Courtesy { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Clients at most, confirmed ones; when there are more, silent ones go, then nobody new comes in.</summary>
    public int MaximumClients { get; init; } = 16384;

    /// <summary>Clients that have not confirmed, at most; the oldest are dropped.</summary>
    public int MaximumUnconfirmed { get; init; } = 1024;

    /// <summary>Sessions of one client, at most.</summary>
    public int MaximumSessions { get; init; } = 64;

    /// <summary>Slots of one session, at most.</summary>
    public int MaximumSlots { get; init; } = 64;

    /// <summary>Opens, lock owners and locks' stateids of one client, together, at most.</summary>
    public int MaximumStates { get; init; } = 1 << 20;

    /// <summary>Open owners of one client without an open, at most, until they are collected.</summary>
    public int MaximumOwners { get; init; } = 1 << 18;

    /// <summary>Owners of one client that are to be told when a lock is free, at most; others ask from time to time.</summary>
    public int MaximumNotices { get; init; } = 4096;

    /// <summary>Clients that are called back at once.</summary>
    public int MaximumCallbacks { get; init; } = 8192;

    /// <summary>Bytes of a request or reply, at most.</summary>
    public int MaximumMessage { get; init; } = (1 << 20) + MessageOverhead;

    /// <summary>Bytes of a reply that is kept for a retry, at most.</summary>
    public int MaximumCachedReply { get; init; } = 8192;

    /// <summary>Operations of a compound, at most.</summary>
    public int MaximumOperations { get; init; } = 50;

    /// <summary>Whose workers run expiry; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what is worth saying.</summary>
    public ILogger? Logger { get; init; }
}
