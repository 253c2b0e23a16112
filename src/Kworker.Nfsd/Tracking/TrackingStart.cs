namespace Kworker.Nfsd.Tracking;

/// <summary>What is known of the clients of before when the server starts.</summary>
internal enum TrackingStart
{
    /// <summary>There is no record that could be believed. Nobody may reclaim, so that no grace is needed.</summary>
    Off,

    /// <summary>There is a record, and nobody in it: no grace is needed.</summary>
    Nobody,

    /// <summary>Somebody is in the record, or may be: grace, and each that asks to reclaim is checked.</summary>
    Somebody,
}
