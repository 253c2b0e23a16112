namespace Kworker;

/// <content>What a snapshot sees of it.</content>
internal sealed partial class Stage
{
    /// <summary>R: what is in it, each item looked at once: it has been begun or it has not.</summary>
    internal void Collect(SnapshotCollector into, PoolWorker worker)
    {
        Settle();
        for (int index = _settled; index < _counted; index++)
        {
            if (_slots[index].IsSettled)
                continue;
            Work work = _slots[index].Work;
            if (IsWaiting(index))
                into.AddStaged(work);
            else if (work.FindRun() is { } run)
                into.AddInFlight(run, worker);
        }
    }

    private bool IsWaiting(int index) =>
        _slots[index] is { IsSettled: false, Work: { } work, Ticket: var ticket } && Seam.Read(in work.State) == ticket;
}
