using System.Globalization;
using Kworker.Nfsd;
using Kworker.StatePage;

namespace Kworker.Apps.Nfsd.Page;

/// <summary>What the server's snapshot looks like on the page, and in the terminal.</summary>
internal static class ServerSections
{
    private const int MostLocks = 10_000;

    public static IEnumerable<StateSection> Of(NfsServer server)
    {
        NfsServerSnapshot now = server.Snapshot(MostLocks);
        return [Server(server, now), Clients(now), Locks(now), Record(now)];
    }

    private static StateSection Server(NfsServer server, NfsServerSnapshot now) => new("server", "Server")
    {
        Facts =
        [
            new("Listens on", string.Join(", ", server.EndPoints)), new("Lease", StateCell.Time(now.Lease)), Grace(now), new("Clients of NFSv4", StateCell.Number(now.Clients.Count)),
            new("Mounts by NFSv3", StateCell.Number(now.Mounts.Count)), new("Locks", StateCell.Number(now.LockCount)),
            new("Requests that wait", StateCell.Number(now.LockWaitCount) with { Tone = now.LockWaitCount > 0 ? StateTone.Warning : StateTone.Plain }),
        ],
        Tables =
        [
            new("exports", "Exports", [new("Path"), new("To whom"), new("Id", true)],
                [.. now.Exports.Select(static export => new StateRow(export.Path, [export.Path, export.Clients, new StateCell($"{export.Id:x8}") { Value = export.Id }]))]),
        ],
    };

    private static StateFact Grace(NfsServerSnapshot now) => now switch
    {
        { IsInGrace: false } => new("Grace", StateCell.State("over", StateTone.Quiet)),
        { GraceLeft: { } left } => new("Grace", StateCell.State($"{left.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s left", StateTone.Warning))
        {
            Progress = now.GraceLength > TimeSpan.Zero ? 1 - left / now.GraceLength : null,
        },
        _ => new("Grace", StateCell.State("ending", StateTone.Warning)),
    };

    private static StateSection Clients(NfsServerSnapshot now) => new("clients", "Clients")
    {
        Note = "Names are what clients call themselves.",
        Tables =
        [
            new("clients-v4", "NFSv4 clients",
                [new("Client"), new("Version"), new("State"), new("Address"), new("Lease left", true), new("Opens", true), new("Locks", true), new("Sessions", true), new("Recorded")],
                [.. now.Clients.Select(client => Row(client, now.Lease))]) { Empty = "No client of NFSv4 is known." },
            new("sessions", "NFSv4.1 sessions", [new("Session"), new("Client"), new("Slots", true), new("Running", true), new("Connections", true), new("Back channel")],
                [
                    .. now.Sessions.Select(static session => new StateRow(session.Id,
                        [
                            session.Id, session.Client, StateCell.Number(session.Slots), StateCell.Number(session.Running), StateCell.Number(session.Connections),
                            session.HasBackChannel ? StateCell.State("yes", StateTone.Busy) : StateCell.State("no", StateTone.Quiet),
                        ])),
                ]) { Empty = "There is no session." },
            new("mounts-v3", "NFSv3 mounts", [new("Client"), new("Path")],
                [.. now.Mounts.Select(static mount => new StateRow($"{mount.Client} {mount.Path}", [mount.Client, mount.Path]))]) { Empty = "Nothing is mounted by NFSv3, as far as clients say." },
            new("hosts-v3", "NFSv3 clients that lock", [new("Client"), new("Address"), new("Monitored"), new("Owners", true), new("Waiting", true)],
                [
                    .. now.LockHosts.Select(static host => new StateRow($"{host.Name} {host.Address}",
                        [
                            host.Name, host.Address, host.IsMonitored ? StateCell.State("yes", StateTone.Busy) : StateCell.State("no", StateTone.Quiet), StateCell.Number(host.Owners),
                            StateCell.Number(host.Waiting),
                        ])),
                ]) { Empty = "No client of NFSv3 has locked." },
        ],
    };

    private static StateRow Row(NfsClientSnapshot client, TimeSpan lease)
    {
        StateCell state = client.LeaseLeft < TimeSpan.Zero ? StateCell.State("expired, kept", StateTone.Bad)
            : client.LeaseLeft < lease / 3 ? StateCell.State("silent", StateTone.Warning)
            : StateCell.State("alive", StateTone.Busy);
        return new StateRow(client.Id.ToString("x16", CultureInfo.InvariantCulture),
        [
            client.Name, $"4.{client.MinorVersion}", state, client.Address, StateCell.Time(client.LeaseLeft), StateCell.Number(client.Opens), StateCell.Number(client.Locks),
            StateCell.Number(client.Sessions), client.IsRecorded ? StateCell.State("yes", StateTone.Busy) : StateCell.State("no", StateTone.Quiet),
        ]);
    }

    private static StateSection Locks(NfsServerSnapshot now) => new("locks", "Locks")
    {
        Tables =
        [
            new("lock-waits", "Who waits", [new("Who"), new("Wants"), new("Bytes"), new("File"), new("Waits for")],
                [
                    .. now.LockWaits.Select(static (wait, index) => new StateRow($"{index}",
                        [wait.Owner, wait.IsWrite ? "write" : "read", wait.Range, wait.File, StateCell.State(wait.WaitsFor, StateTone.Warning)])),
                ]) { Empty = "Nobody waits for a lock.", Total = now.LockWaitCount },
            new("locks-held", "Held", [new("Whose"), new("Kind"), new("Bytes"), new("File")],
                [.. now.Locks.Select(static one => new StateRow($"{one.File} {one.Range} {one.Owner}", [one.Owner, one.IsWrite ? "write" : "read", one.Range, one.File]))])
            {
                Empty = "No lock is held.",
                Total = now.LockCount,
            },
        ],
    };

    private static StateSection Record(NfsServerSnapshot now) => new("record", "Record of NFSv4 clients")
    {
        Note = now.Tracking.Program.Length > 0 ? null : "Off: clients of NFSv4 lose what they hold when the server restarts.",
        Facts = [new("Kept by", now.Tracking.Program.Length > 0 ? now.Tracking.Program : StateCell.State("nobody", StateTone.Bad))],
        Tables =
        [
            new("upcalls", "Last upcalls", [new("When", true), new("Command"), new("Argument"), new("Outcome")],
                [
                    .. now.Tracking.Recent.Select(static call => new StateRow($"{call.Time.Ticks} {call.Command}",
                        [
                            new StateCell(call.Time.ToUniversalTime().ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)) { Value = call.Time.ToUnixTimeMilliseconds() },
                            call.Command, call.Argument, StateCell.State(call.Outcome, call.IsSuccess ? StateTone.Quiet : StateTone.Bad),
                        ])),
                ]) { Empty = "None yet." },
        ],
    };
}
