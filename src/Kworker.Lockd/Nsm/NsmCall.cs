using System.Diagnostics;
using System.Net;

namespace Kworker.Lockd.Nsm;

/// <summary>A call, or several with different arguments one after another, to a program of a host. See <see cref="NsmCaller"/>.</summary>
[DebuggerDisplay("{Program} at {Address}, {Done} of {Arguments.Count} done")]
internal sealed class NsmCall
{
    /// <summary>Until the second attempt.</summary>
    public static readonly TimeSpan ShortestPatience = TimeSpan.FromSeconds(2);

    /// <summary>Between attempts, at most.</summary>
    public static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(1);

    /// <summary>The host.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>The own address that the host knows us by; null for the one that routing picks.</summary>
    public IPAddress? Local { get; init; }

    public required uint Program { get; init; }

    public required uint Version { get; init; }

    public required uint Procedure { get; init; }

    /// <summary>The arguments of each call, encoded.</summary>
    public required IReadOnlyList<byte[]> Arguments { get; init; }

    /// <summary>From the beginning.</summary>
    public required TimeSpan GiveUpAfter { get; init; }

    /// <summary>Called once, on a worker: whether all were answered.</summary>
    public required Action<NsmCall, bool> Ended { get; init; }

    /// <summary>The last result, encoded.</summary>
    public byte[] Result { get; set; } = [];

    // The caller's: Xid, To, AsksPort, Port and Answer guarded by its lock, the rest its work item's own.
    internal uint Xid { get; set; }

    internal IPEndPoint? To { get; set; }

    internal bool AsksPort { get; set; }

    internal int Port { get; set; }

    internal NsmAnswer Answer { get; set; }

    internal int Done { get; set; }

    internal long Started { get; set; }

    internal TimeSpan Patience { get; set; }

    internal DelayedWork<NsmCall>? Work { get; set; }
}

/// <summary>What has come for a call since it was last looked at.</summary>
internal enum NsmAnswer : byte
{
    None,
    Port,
    Result,
}
