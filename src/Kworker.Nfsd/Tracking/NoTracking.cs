namespace Kworker.Nfsd.Tracking;

/// <summary>A server without state directory: nothing outlives it, so nobody may reclaim.</summary>
internal sealed class NoTracking : IClientTracking
{
    public Action? AllReclaimed { get; set; }

    public Func<IReadOnlyCollection<TrackedClient>>? ActiveClients { get; set; }

    public ValueTask<TrackingStart> InitAsync() => ValueTask.FromResult(TrackingStart.Off);

    public ValueTask<TrackingResult> CreateAsync(TrackedClient client) => ValueTask.FromResult(TrackingResult.Off);

    public ValueTask<TrackingResult> CheckAsync(TrackedClient client) => ValueTask.FromResult(TrackingResult.Off);

    public ValueTask<TrackingResult> RemoveAsync(TrackedClient client) => ValueTask.FromResult(TrackingResult.Off);

    public ValueTask<TrackingResult> GraceDoneAsync() => ValueTask.FromResult(TrackingResult.Off);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
