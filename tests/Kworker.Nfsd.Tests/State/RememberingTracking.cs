using Kworker.Nfsd.Tracking;

namespace Kworker.Nfsd.Tests.State;

/// <summary>A record of clients that outlives servers: what the program behind the upcall keeps.</summary>
internal sealed class RememberingTracking : IClientTracking
{
    private readonly Dictionary<string, int> _record = []; // by client: the start in which it was heard of
    private int _start;

    public Action? AllReclaimed { get; set; }

    public Func<IReadOnlyCollection<TrackedClient>>? ActiveClients { get; set; }

    public List<string> Calls { get; } = [];

    public ValueTask<TrackingStart> InitAsync()
    {
        _start++;
        return ValueTask.FromResult(_record.Count > 0 ? TrackingStart.Somebody : TrackingStart.Nobody);
    }

    public ValueTask<TrackingResult> CreateAsync(TrackedClient client)
    {
        Calls.Add("create");
        _record[client.HexId] = _start;
        return Done();
    }

    public ValueTask<TrackingResult> CheckAsync(TrackedClient client)
    {
        Calls.Add("check");
        if (!_record.ContainsKey(client.HexId))
            return ValueTask.FromResult(TrackingResult.NotRecorded);
        _record[client.HexId] = _start;
        return Done();
    }

    public ValueTask<TrackingResult> RemoveAsync(TrackedClient client)
    {
        Calls.Add("remove");
        _record.Remove(client.HexId);
        return Done();
    }

    public ValueTask<TrackingResult> GraceDoneAsync()
    {
        Calls.Add("gracedone");
        foreach (string client in _record.Where(entry => entry.Value != _start).Select(entry => entry.Key).ToList())
            _record.Remove(client);
        return Done();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static ValueTask<TrackingResult> Done() => ValueTask.FromResult(TrackingResult.Recorded);
}
