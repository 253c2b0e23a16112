using System.Net;
using Kworker.Apps.Nfsd.Page;
using Kworker.Lockd;
using Kworker.Nfsd;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public required IReadOnlyList<string> Exports { get; init; }

    public required IReadOnlyList<string> ExportFiles { get; init; }

    public required int Port { get; init; }

    public required IReadOnlyList<IPAddress> Addresses { get; init; }

    public required string StateDirectory { get; init; }

    public required RpcbindMode Rpcbind { get; init; }

    public required bool Locks { get; init; }

    public required bool LocalLocks { get; init; }

    public required NsmMode Nsm { get; init; }

    /// <summary>Null: what the versions served ask for.</summary>
    public required TimeSpan? Grace { get; init; }

    public required TimeSpan Lease { get; init; }

    public required NfsVersions Versions { get; init; }

    public required string? ClientTracking { get; init; }

    public required string? ClientTrackingStorage { get; init; }

    public required HttpEndPoint? Http { get; init; }

    public required TimeSpan DrainTime { get; init; }

    public required LogLevel LogLevel { get; init; }

    /// <summary>The options given that take a restart to change, by name.</summary>
    public required IReadOnlyDictionary<string, string> Fixed { get; init; }

    /// <summary>The same command line with its files as they are now; throws as at the start.</summary>
    public required Func<Settings> Reread { get; init; }
}
