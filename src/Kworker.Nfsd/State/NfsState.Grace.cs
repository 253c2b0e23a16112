using Kworker.Lockd.Grace;
using Kworker.Nfsd.Tracking;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

// The time after a start in which clients of before reclaim, and nobody gets anything new: one with NLM's.
internal sealed partial class NfsState
{
    private readonly GraceManagers _graceManagers; // this object is the manager of NFSv4
    private readonly DelayedWork<NfsState> _graceEnder;
    private readonly Work<NfsState> _graceEndNow;

    private volatile bool _allReclaimed; // the record says that nobody is left to come back
    private int _graceStage; // NoGrace, Reclaiming, Ending, NoGrace; interlocked
    private const int NoGrace = 0; // none yet, or over
    private const int Reclaiming = 1;
    private const int Ending = 2; // nobody reclaims, nor gets anything new

    /// <summary>Whether nothing new may be opened or locked, be it for NFSv4's clients or for NLM's.</summary>
    public bool IsInGrace => _graceManagers.IsInGrace;

    /// <summary>Whether a client may reclaim at all: NFSv4's own grace.</summary>
    private bool MayReclaim => Volatile.Read(ref _graceStage) == Reclaiming;

    /// <summary>Whether a client may have what it asks for: something new, or something that it had before the restart.</summary>
    private Nfsstat4 CheckGrace(bool isReclaim)
    {
        if (isReclaim)
            return MayReclaim ? Nfsstat4.Ok : Nfsstat4.NoGrace;
        return IsInGrace ? Nfsstat4.Grace : Nfsstat4.Ok;
    }

    /// <summary>Whether this client may reclaim: it is in the record, and has not said that it is done.</summary>
    private Nfsstat4 CheckReclaim(NfsClient client)
    {
        if (client.ReclaimComplete || !MayReclaim)
            return Nfsstat4.NoGrace;
        if (client.Tracked.IsRecorded)
            return Nfsstat4.Ok;
        TrackingResult check = Wait(_tracking.CheckAsync(client.Tracked));
        if (check != TrackingResult.Recorded)
            return check == TrackingResult.Slow ? Nfsstat4.Delay : Nfsstat4.NoGrace;
        // 4.0: that it is asked for counts as a sign of life in the record, too. 4.1 says RECLAIM_COMPLETE.
        if (client.MinorVersion == 0)
            client.IsRecordAsked = true;
        return Nfsstat4.Ok;
    }

    /// <summary>RECLAIM_COMPLETE: RFC 8881 section 18.51.</summary>
    public Nfsstat4 CompleteReclaim(NfsClient client, bool ofOneFileSystem)
    {
        if (ofOneFileSystem)
            return Nfsstat4.Ok; // nothing migrates here
        if (client.ReclaimComplete)
            return Nfsstat4.CompleteAlready;
        client.ReclaimComplete = true;
        EnsureRecorded(client);
        return Nfsstat4.Ok;
    }

    /// <summary>The client is about to get something that it will want back after a restart: it is on stable storage before it hears of it.</summary>
    public void EnsureRecorded(NfsClient client)
    {
        if (client.IsRecordAsked)
            return; // where it was not had, asking each time would only be slow
        Wait(_tracking.CreateAsync(client.Tracked));
        client.IsRecordAsked = true;
    }

    private void BeginGrace()
    {
        _graceManagers.Start(this);
        Volatile.Write(ref _graceEndsAt, Now + ToTimestamp(_options.Grace));
        Volatile.Write(ref _graceStage, Reclaiming);
        StateLog.GraceBegins(_logger, _options.Grace.TotalSeconds);
        _queue.Queue(_graceEnder, _options.Grace);
        if (_allReclaimed)
            _queue.Queue(_graceEndNow);
    }

    private void EndGraceSoon()
    {
        // Set before the stage is looked at, as BeginGrace does the other way round: one of the two sees the other.
        _allReclaimed = true;
        _queue.Queue(_graceEndNow);
    }

    /// <summary>First nobody reclaims any more, then the record forgets who has not come, then there is something new to be had.</summary>
    private void EndGrace()
    {
        if (Interlocked.CompareExchange(ref _graceStage, Ending, Reclaiming) != Reclaiming)
            return;
        _graceEnder.Cancel();
        Wait(_tracking.GraceDoneAsync());
        Volatile.Write(ref _graceStage, NoGrace);
        _graceManagers.End(this);
        StateLog.GraceEnds(_logger);
    }
}
