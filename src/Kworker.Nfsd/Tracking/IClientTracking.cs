namespace Kworker.Nfsd.Tracking;

/// <summary>
/// The record of clients on stable storage that says, after a restart, who may reclaim (<c>nfsd4_client_tracking_ops</c>). What a call says is on disk
/// when it returns.
/// </summary>
/// <remarks>
/// Calls may come from any work function and any number of them at a time; none holds up another client's. Those for one client name are carried out
/// one after the other, in the order in which they were made, so that a remove of its former instance and a create of its new one end as they were asked for.
/// A helper that does not end is waited for as long as a client can be kept waiting, no longer; what was asked for is done when it can be.
/// Nothing of it throws: what goes wrong is logged, and the result is <see cref="TrackingResult.NotRecorded"/> or <see cref="TrackingResult.Off"/>.
/// </remarks>
internal interface IClientTracking : IAsyncDisposable
{
    /// <summary>
    /// Called once it is known that all clients of the record that could still reclaim have done so, or that there are none: grace may end before its time.
    /// Called on a worker, after <see cref="InitAsync"/>, once; not at all where that cannot be known. Set before <see cref="InitAsync"/>.
    /// </summary>
    Action? AllReclaimed { get; set; }

    /// <summary>
    /// Lists the clients that would be in the record if there had been one (<see cref="CreateAsync"/> was called for them, and they have not been removed):
    /// wanted when tracking is turned on again while the server runs. Set before <see cref="InitAsync"/>.
    /// </summary>
    Func<IReadOnlyCollection<TrackedClient>>? ActiveClients { get; set; }

    /// <summary>At the start, before anybody is served and before grace begins (<c>init</c>).</summary>
    ValueTask<TrackingStart> InitAsync();

    /// <summary>
    /// The client has state that it will want back after a restart (<c>create</c>): 4.0 at the first OPEN_CONFIRM (and each further one: it is cheap once
    /// recorded), 4.1 at RECLAIM_COMPLETE.
    /// </summary>
    ValueTask<TrackingResult> CreateAsync(TrackedClient client);

    /// <summary>
    /// Whether the client, which asks to reclaim for the first time, is in the record (<c>check</c>). Only <see cref="TrackingResult.Recorded"/> lets it;
    /// after <see cref="TrackingResult.Slow"/> it should be told to ask again.
    /// </summary>
    ValueTask<TrackingResult> CheckAsync(TrackedClient client);

    /// <summary>
    /// The client is gone: expired, destroyed, or replaced by a new instance of itself (<c>remove</c>). Await it before its locks and opens are given to
    /// others: were the server to die in between, it could reclaim what somebody else has. No upcall if it was not recorded.
    /// </summary>
    ValueTask<TrackingResult> RemoveAsync(TrackedClient client);

    /// <summary>
    /// Grace is over: who has not come back is forgotten (<c>gracedone</c>). Await it before anything new is given out, for the same reason. Also
    /// where there was no grace because <see cref="InitAsync"/> found nobody.
    /// </summary>
    ValueTask<TrackingResult> GraceDoneAsync();
}
