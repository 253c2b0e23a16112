namespace Kworker.Nfsd;

/// <summary>
/// What a server serves, to whom, and who holds what, at about one moment; see <see cref="NfsServer.Snapshot"/>. Names are what clients call themselves: bytes that are no printable ASCII
/// stand as <c>\xNN</c>, and nothing vouches for them.
/// </summary>
public sealed record NfsServerSnapshot
{
    internal NfsServerSnapshot()
    {
    }

    /// <summary>What is exported.</summary>
    public required IReadOnlyList<NfsExportSnapshot> Exports { get; init; }

    /// <summary>Who has mounted what by NFSv3, as far as clients say.</summary>
    public required IReadOnlyList<NfsMountSnapshot> Mounts { get; init; }

    /// <summary>Clients of NFSv3 that lock.</summary>
    public required IReadOnlyList<NfsLockHostSnapshot> LockHosts { get; init; }

    /// <summary>Clients of NFSv4.</summary>
    public required IReadOnlyList<NfsClientSnapshot> Clients { get; init; }

    /// <summary>Sessions of NFSv4.1.</summary>
    public required IReadOnlyList<NfsSessionSnapshot> Sessions { get; init; }

    /// <summary>Locks that are held, of NFSv3 and NFSv4; no more than were asked for.</summary>
    public required IReadOnlyList<NfsLockSnapshot> Locks { get; init; }

    /// <summary>How many there are.</summary>
    public required long LockCount { get; init; }

    /// <summary>Requests for locks that wait; no more than were asked for.</summary>
    public required IReadOnlyList<NfsLockWaitSnapshot> LockWaits { get; init; }

    /// <summary>How many there are.</summary>
    public required int LockWaitCount { get; init; }

    /// <summary>Locks and opens are given only to those who had them before the restart.</summary>
    public required bool IsInGrace { get; init; }

    /// <summary>How long that goes on at most; null when it does not, or the end is being carried out.</summary>
    public required TimeSpan? GraceLeft { get; init; }

    /// <summary>How long it is when there is one.</summary>
    public required TimeSpan GraceLength { get; init; }

    /// <summary>How long a client of NFSv4 may be silent.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>The record of NFSv4's clients.</summary>
    public required NfsTrackingSnapshot Tracking { get; init; }
}

/// <summary>An export.</summary>
/// <param name="Path">What clients mount.</param>
/// <param name="Clients">To whom and how, in the words of exports(5).</param>
/// <param name="Id">Its number in file handles.</param>
public sealed record NfsExportSnapshot(string Path, string Clients, uint Id);

/// <summary>A mount by NFSv3.</summary>
/// <param name="Client">The client's address.</param>
/// <param name="Path">What it mounted.</param>
public sealed record NfsMountSnapshot(string Client, string Path);

/// <summary>A client of NFSv3 that locks.</summary>
/// <param name="Name">What it calls itself.</param>
/// <param name="Address">Its address.</param>
/// <param name="IsMonitored">It will hear of a restart of this server, and this server of one of its own.</param>
/// <param name="Owners">Its processes that hold or wait.</param>
/// <param name="Waiting">Its requests that wait, or whose grant it has not acknowledged.</param>
public sealed record NfsLockHostSnapshot(string Name, string Address, bool IsMonitored, int Owners, int Waiting);

/// <summary>A client of NFSv4.</summary>
/// <param name="Id">Its number at this server.</param>
/// <param name="Name">What it calls itself.</param>
/// <param name="Address">Where its calls come from, or where it wants to be called back; empty when that is not known.</param>
/// <param name="MinorVersion">0 or 1.</param>
/// <param name="LeaseLeft">How long it may be silent; negative: how long it has been late.</param>
/// <param name="IsRecorded">It may have back what it holds after a restart.</param>
/// <param name="Opens">What it has open.</param>
/// <param name="Locks">Its lock states: one for each owner and file.</param>
/// <param name="Sessions">Its sessions.</param>
public sealed record NfsClientSnapshot(
    ulong Id, string Name, string Address, uint MinorVersion, TimeSpan LeaseLeft, bool IsRecorded, int Opens, int Locks, int Sessions);

/// <summary>A session of NFSv4.1.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Client">What its client calls itself.</param>
/// <param name="Slots">Requests that it may have under way.</param>
/// <param name="Running">Those that are.</param>
/// <param name="Connections">Its connections that are open.</param>
/// <param name="HasBackChannel">Whether the client can be called back.</param>
public sealed record NfsSessionSnapshot(string Id, string Client, int Slots, int Running, int Connections, bool HasBackChannel);

/// <summary>A lock.</summary>
/// <param name="File">The file, by the end of its handle.</param>
/// <param name="Owner">Whose.</param>
/// <param name="IsWrite">Whether it excludes all others.</param>
/// <param name="Range">Its bytes.</param>
public sealed record NfsLockSnapshot(string File, string Owner, bool IsWrite, string Range);

/// <summary>A request for a lock that waits.</summary>
/// <param name="File">The file, by the end of its handle.</param>
/// <param name="Owner">Whose.</param>
/// <param name="IsWrite">Whether it would exclude all others.</param>
/// <param name="Range">Its bytes.</param>
/// <param name="WaitsFor">Whose lock it waits for first.</param>
public sealed record NfsLockWaitSnapshot(string File, string Owner, bool IsWrite, string Range, string WaitsFor);

/// <summary>The record of NFSv4's clients.</summary>
/// <param name="Program">Who keeps it; empty when nobody does: clients then lose what they hold when the server restarts.</param>
/// <param name="Recent">The last calls of it, the latest first.</param>
public sealed record NfsTrackingSnapshot(string Program, IReadOnlyList<NfsUpcallSnapshot> Recent);

/// <summary>A call of the program that keeps the record.</summary>
/// <param name="Time">When it ended.</param>
/// <param name="Command">Its command.</param>
/// <param name="Argument">Its argument; of a client, the name in hexadecimal.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="IsSuccess">Whether that was what was asked for.</param>
public sealed record NfsUpcallSnapshot(DateTimeOffset Time, string Command, string Argument, string Outcome, bool IsSuccess);
