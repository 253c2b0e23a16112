namespace Kworker.Nfsd.Tracking;

/// <summary>What an upcall came to.</summary>
internal enum TrackingResult
{
    /// <summary>It is as asked for: the client is in the record (create, check), or is no longer (remove, gracedone).</summary>
    Recorded,

    /// <summary>The helper said no, or failed: who asks to reclaim may not, who is new will not be able to after the next restart.</summary>
    NotRecorded,

    /// <summary>The helper has not answered yet: whether the client may reclaim will be known when it asks again.</summary>
    Slow,

    /// <summary>There is no record at the moment, so nobody may reclaim by it.</summary>
    Off,
}
