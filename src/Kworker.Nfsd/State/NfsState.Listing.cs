namespace Kworker.Nfsd.State;

// What those see who look after the server.
internal sealed partial class NfsState
{
    private long _graceEndsAt; // a timestamp; written when grace begins, 0 before

    /// <summary>Clients that have confirmed.</summary>
    public IEnumerable<NfsClient> Clients => _byId.Values;

    /// <summary>How long grace is when there is one.</summary>
    public TimeSpan GraceLength => _options.Grace;

    /// <summary>How long NFSv4's grace goes on at most; null when there is none.</summary>
    public TimeSpan? GraceLeft => Volatile.Read(ref _graceStage) == Reclaiming && Volatile.Read(ref _graceEndsAt) is > 0 and var end ? Left(end) : null;

    /// <summary>How long a client may be silent; negative: how long it has been late.</summary>
    public TimeSpan LeaseLeft(NfsClient client) => client.IsActive ? _options.Lease : ToTimeSpan(client.LastSeen + _lease - Now);

    private TimeSpan Left(long end) => ToTimeSpan(Math.Max(0, end - Now));

    private TimeSpan ToTimeSpan(long timestamps) => TimeSpan.FromSeconds((double)timestamps / _time.TimestampFrequency);
}
