using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.Nfsd.Tracking;

namespace Kworker.Nfsd;

/// <content>What it looks like from outside.</content>
public sealed partial class NfsServer
{
    /// <summary>How many locks, and how many requests for locks, a snapshot lists unless told otherwise.</summary>
    public const int DefaultSnapshotLocks = 1000;

    /// <summary>How long the grace period goes on at most, in which clients get back what they held before a restart and nobody gets anything new; null when there is none.</summary>
    public TimeSpan? GraceLeft => _nfs4.IsInGrace ? Longer(_nfs4.GraceLeft, _locks?.GraceLeft) ?? TimeSpan.Zero : null;

    /// <summary>What is served, to whom, and who holds what. Each client and each file is seen at one moment; calls go on meanwhile.</summary>
    /// <param name="maxLocks">How many locks and requests are listed; the counts are exact all the same.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLocks"/> is negative.</exception>
    public NfsServerSnapshot Snapshot(int maxLocks = DefaultSnapshotLocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxLocks);
        LockTable table = _locks?.Table ?? _ownTable!;
        (IReadOnlyList<HeldLock> held, IReadOnlyList<WaitingLock> waiting) = table.List(maxLocks);
        NfsClient[] clients = [.. _nfs4.Clients];
        return new NfsServerSnapshot
        {
            Exports = [.. _exports.Now.Exports.Select(static export => new NfsExportSnapshot(export.Path, ClientsOf(export), export.Id))],
            Mounts = [.. _mounts.Entries.Select(static mount => new NfsMountSnapshot($"{mount.Client}", SnapshotText.OfLatin1(mount.Path)))],
            LockHosts = [.. (_locks?.Hosts ?? []).Select(ToSnapshot)],
            Clients = [.. clients.Select(ToSnapshot).OfType<NfsClientSnapshot>()],
            Sessions = [.. clients.SelectMany(SessionsOf)],
            Locks = [.. held.Select(static one => new NfsLockSnapshot(SnapshotText.Of(one.File), SnapshotText.Of(one.Owner), one.Kind == LockKind.Write, one.Range.ToString()))],
            LockCount = table.Count,
            LockWaits =
            [
                .. waiting.Select(static one => new NfsLockWaitSnapshot(SnapshotText.Of(one.File), SnapshotText.Of(one.Owner), one.Kind == LockKind.Write, one.Range.ToString(),
                    one.For is null ? "a program of this machine" : SnapshotText.Of(one.For))),
            ],
            LockWaitCount = table.WaitingCount,
            IsInGrace = _nfs4.IsInGrace,
            GraceLeft = GraceLeft,
            GraceLength = _nfs4.GraceLength,
            Lease = TimeSpan.FromSeconds(_nfs4.LeaseSeconds),
            Tracking = (_tracking as UmhClientTracking)?.Snapshot() ?? new NfsTrackingSnapshot("", []),
        };
    }

    private NfsClientSnapshot? ToSnapshot(NfsClient client)
    {
        lock (client.Sync)
        {
            if (client.IsGone)
                return null;
            string address = client.Sessions.SelectMany(static session => session.RemoteAddresses).FirstOrDefault() ?? client.Callback?.Address ?? "";
            return new NfsClientSnapshot(
                client.Id, SnapshotText.Of(client.Name), SnapshotText.OfLatin1(address), client.MinorVersion, _nfs4.LeaseLeft(client), client.Tracked.IsRecorded,
                client.OpenOwners.Values.Sum(static owner => owner.Opens.Count), client.LockOwners.Values.Sum(static owner => owner.Locks.Count),
                client.Sessions.Count);
        }
    }

    private static NfsSessionSnapshot[] SessionsOf(NfsClient client)
    {
        string name = SnapshotText.Of(client.Name);
        lock (client.Sync)
        {
            return
            [
                .. client.Sessions.Select(session => new NfsSessionSnapshot($"{session.Id}", name, session.Slots.Length, session.RunningCount, session.RemoteAddresses.Length, session.FindBackChannel() is not null)),
            ];
        }
    }

    private static NfsLockHostSnapshot ToSnapshot(NlmHost host)
    {
        lock (host.Lock)
            return new NfsLockHostSnapshot(SnapshotText.OfLatin1(host.Name), $"{host.Address}", host.IsMonitored, host.Owners.Count, host.Blocks.Count);
    }

    private static string ClientsOf(Export export) => string.Join(' ', export.Clients.Select(static client => $"{client.Pattern}({OptionsOf(client.Options)})"));

    private static string OptionsOf(ExportOptions options)
    {
        List<string> words = [options.IsReadOnly ? "ro" : "rw", options.RequiresPrivilegedPort ? "secure" : "insecure"];
        words.Add(options.Squash switch { Squash.None => "no_root_squash", Squash.All => "all_squash", _ => "root_squash" });
        words.Add(options.IsAsync ? "async" : "sync");
        return string.Join(',', words);
    }

    private static TimeSpan? Longer(TimeSpan? one, TimeSpan? other) => one is null || other > one ? other : one;
}
