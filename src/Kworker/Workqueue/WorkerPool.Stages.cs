using System.Runtime.CompilerServices;

namespace Kworker;

/// <content>What its workers take ahead, into their stages, and how others get it from there.</content>
internal sealed partial class WorkerPool
{
    /// <summary>
    /// Fills a worker's empty stage with what it may take ahead, from the list, or, when that is empty, from the inbox: its share, so that others find something, too.
    /// False when there is nothing, or the first item must be begun under the lock.
    /// </summary>
    internal bool TryFill(Stage stage)
    {
        if (!IsManaged || !MayWork)
            return false;
        if (_items.IsEmpty ? !TryFillFromInbox(stage) : !TryFillFromList(stage))
            return false;
        if (!stage.IsListed)
            List(stage);
        return true;
    }

    private bool TryFillFromList(Stage stage)
    {
        int available = 0;
        DeferredItem item = _items.Next!;
        while (available < 2 * Stage.Size && item.Kind == ItemKind.PlainWork && Unsafe.As<Work>(item).MayBeStaged)
        {
            available++;
            item = item.Next!;
        }

        if (available == 0)
            return false;
        for (int taken = ShareOf(available); taken > 0; taken--)
            stage.Add(Unsafe.As<Work>(_items.TakeFirst()!));
        return true;
    }

    /// <summary>
    /// The short way of <see cref="EmptyInbox"/> and <see cref="TryFillFromList"/>. What stands behind what has been taken stays where it is.
    /// </summary>
    private bool TryFillFromInbox(Stage stage)
    {
        int count = _entrance.Inbox.Count;
        for (int share = ShareOf(count); share > 0 && _entrance.Inbox.TryTake() is { } item; share--)
        {
            if (item.Kind == ItemKind.PlainWork && Unsafe.As<Work>(item).Target!.TryReceive(Unsafe.As<Work>(item), stage))
                continue;
            Receive(item);
            break; // in order: what comes behind it is not begun before it
        }

        if (count > 1)
            NeedsPlan = true; // others may help
        return stage.Count != 0;
    }

    /// <summary>Gives a worker that has none its share of what follows awaits, from the front of the list; false when something else stands there, or nothing.</summary>
    internal bool TryFill(Continuations continuations)
    {
        if (!IsManaged || !MayWork || NextItem() is not { } item)
            return false;
        int available = 0;
        for (; available < 2 * Continuations.Size && MayBeKept(item); item = item.Next!)
            available++;
        if (available == 0)
            return false;
        for (int taken = Math.Min(ShareOf(available), Continuations.Size); taken > 0; taken--)
            continuations.Add(_items.TakeFirst()!);
        if (!_items.IsEmpty)
            NeedsPlan = true; // others may help
        return true;
    }

    private static bool MayBeKept(DeferredItem item) => item is { Kind: ItemKind.Continuation, IsTied: false, Run: not { Queue.IsCpuIntensive: true } };

    private void List(Stage stage)
    {
        stage.IsListed = true;
        _stages.Add(stage);
    }

    /// <summary>How many of so many items a worker takes ahead: half, while another might come for the rest; one, if it will probably block.</summary>
    private int ShareOf(int available) => _extra > 0 ? 1 : Math.Min(_running >= Limit ? available : (available + 1) / 2, Stage.Size);

    /// <summary>A worker's stage is done with.</summary>
    internal void Forget(Stage stage)
    {
        _stages.Remove(stage);
        stage.IsListed = false;
    }

    /// <summary>Accounts for all runs that have ended in stages.</summary>
    internal void SettleStages()
    {
        for (Stage? stage = _stages.First; stage is not null; stage = LinkedStack<Stage, Stage.InPool>.After(stage))
            stage.Settle();
    }

    /// <summary>For a worker that finds nothing to do: takes what another has taken ahead and not begun; true when there is something in the list now.</summary>
    /// <param name="isAlone">A worker that goes on has a single one: ask again.</param>
    internal bool TrySteal(out bool isAlone)
    {
        isAlone = false;
        return MayWork && TryStealAny(ref isAlone);
    }

    private bool TryStealAny(ref bool isAlone)
    {
        for (Stage? stage = _stages.First; stage is not null; stage = LinkedStack<Stage, Stage.InPool>.After(stage))
        {
            if (stage.TrySteal(ref isAlone))
                return true;
        }

        for (PoolWorker? worker = _busy.First; worker is not null; worker = LinkedStack<PoolWorker, PoolWorker.InPool>.After(worker))
        {
            if (worker.TryStealContinuations(ref isAlone))
                return true;
        }

        return false;
    }

    /// <summary>
    /// By a running worker, without the lock: whether what its function queues may stand behind it, unseen by others. It may if nothing has been waiting for longer,
    /// and as many run as may, or one is on its way, who will look for it; or if help is not wanted for a while (<see cref="Entrance.Patience"/>).
    /// </summary>
    internal bool MayChain()
    {
        if (HasListed)
            return false;
        int hunger = Seam.Read(in _entrance.Hunger);
        if (hunger == Full)
            return true;
        if (_entrance.Patience <= 0)
            return false;
        _entrance.Patience--;
        return true;
    }

    /// <summary>
    /// By the worker that has chained an item or kept a continuation, where there is no monitor. The last of the others may have gone to idle without having seen it; who goes looks at the
    /// stages after it has said that the pool is hungry: so one of the two sees the other.
    /// </summary>
    internal void Offer(PoolWorker worker)
    {
        Seam.Fence();
        if (Seam.Read(in _entrance.Hunger) == Full)
            return;
        system.RunLock.Enter();
        worker.ReturnWaiting(half: false);
        NeedsPlan = true;
        system.RunLock.Exit();
    }
}
