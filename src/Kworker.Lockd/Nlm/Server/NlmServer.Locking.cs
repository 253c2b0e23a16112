using System.Diagnostics;
using Kworker.Lockd.Locks;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// TEST, LOCK, CANCEL, UNLOCK (fs/lockd/svclock.c).
internal sealed partial class NlmServer
{
    /// <summary>TEST: whether the lock could be had, else who holds what stands in the way.</summary>
    public Nlm4TestReply Test(RpcCall call, in Nlm4TestArgs arguments)
    {
        Nlm4Lock asked = arguments.Lock;
        LockKind kind = KindOf(arguments.Exclusive);
        Nlm4Stats status = Open(call, asked, kind, out LockRange range, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return new Nlm4TestReply(status);
        if (_grace.IsInGrace)
            return new Nlm4TestReply(Nlm4Stats.DeniedGracePeriod);
        NlmHost? host = FindHost(call, asked.CallerName);
        NlmOwner? owner = host is null ? null : AcquireOwner(host, asked.Svid, create: false);
        try
        {
            // One that holds nothing need not be known to be told apart from the others.
            NlmOwner tester = owner ?? new NlmOwner(host ?? new NlmHost(call.RemoteEndPoint.Address, ""), asked.Svid);
            LockConflict conflict;
            while (!_table.Test(file, tester, kind, range, out conflict))
            {
                if (!GivesWay(conflict))
                    return new Nlm4TestReply(Nlm4Stats.Denied, HolderOf(conflict));
            }
            return new Nlm4TestReply(Nlm4Stats.Granted);
        }
        finally
        {
            End(host, owner);
        }
    }

    /// <summary>LOCK and NM_LOCK.</summary>
    /// <param name="call">The call.</param>
    /// <param name="arguments">What is asked for.</param>
    /// <param name="monitor">Whether the client is to be told when we restart, and believed when it says that it did.</param>
    public Nlm4Stats Lock(RpcCall call, in Nlm4LockArgs arguments, bool monitor = true)
    {
        Nlm4Lock asked = arguments.Lock;
        LockKind kind = KindOf(arguments.Exclusive);
        Nlm4Stats status = Open(call, asked, kind, out LockRange range, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return status;
        // A reclaim that comes too late gets the same word as a new lock that comes too early.
        if (_grace.IsInGrace != arguments.Reclaim)
            return Nlm4Stats.DeniedGracePeriod;
        NlmHost? host = AcquireHost(call, asked.CallerName);
        NlmOwner? owner = null;
        try
        {
            // On disk before it holds anything: killed at any moment from here on, we shall remember whom to tell.
            if (host is null || _table.Count >= _options.MaximumLocks || (monitor && !Monitor(call, host)))
                return Nlm4Stats.DeniedNoLocks;
            owner = AcquireOwner(host, asked.Svid, create: true);
            if (owner is null)
                return Nlm4Stats.DeniedNoLocks;
            BeginLife(owner, arguments.State);
            var key = new NlmBlockKey(file, asked.Svid, kind, range);
            return arguments.Block && !arguments.Reclaim ? LockOrWait(call, owner, key, asked) : LockNow(owner, key);
        }
        finally
        {
            End(host, owner);
        }
    }

    /// <summary>CANCEL: a blocked request is wanted no more.</summary>
    /// <returns>DENIED if it was granted meanwhile: the client has to unlock.</returns>
    public Nlm4Stats Cancel(RpcCall call, in Nlm4CancArgs arguments)
    {
        Nlm4Lock asked = arguments.Lock;
        Nlm4Stats status = Find(call, asked, out LockRange range, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return status;
        NlmHost? host = FindHost(call, asked.CallerName);
        try
        {
            return host is null || CancelBlocked(host, new NlmBlockKey(file, asked.Svid, KindOf(arguments.Exclusive), range))
                ? Nlm4Stats.Granted
                : Nlm4Stats.Denied;
        }
        finally
        {
            End(host, null);
        }
    }

    /// <summary>UNLOCK; what waits for the same range is cancelled.</summary>
    public Nlm4Stats Unlock(RpcCall call, in Nlm4UnlockArgs arguments)
    {
        Nlm4Lock asked = arguments.Lock;
        Nlm4Stats status = Find(call, asked, out LockRange range, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return status;
        NlmHost? host = FindHost(call, asked.CallerName);
        NlmOwner? owner = host is null ? null : AcquireOwner(host, asked.Svid, create: false);
        try
        {
            if (owner is null)
                return Nlm4Stats.Granted;
            CancelBlocked(host!, new NlmBlockKey(file, asked.Svid, LockKind.Write, range));
            CancelBlocked(host!, new NlmBlockKey(file, asked.Svid, LockKind.Read, range));
            _table.Unlock(file, owner, range);
            return Nlm4Stats.Granted;
        }
        finally
        {
            End(host, owner);
        }
    }

    /// <summary>What a lock is asked for, or asked about: anything but GRANTED is the answer.</summary>
    private Nlm4Stats Open(RpcCall call, in Nlm4Lock asked, LockKind kind, out LockRange range, out LockFileKey file)
    {
        file = default;
        return TryGetRange(asked, out range) ? _files.Open(call, asked.Fh.Span, kind, out file) : Nlm4Stats.FBig;
    }

    /// <summary>What is given up, which waits for the end of grace: anything but GRANTED is the answer.</summary>
    private Nlm4Stats Find(RpcCall call, in Nlm4Lock asked, out LockRange range, out LockFileKey file)
    {
        file = default;
        range = default;
        if (_grace.IsInGrace)
            return Nlm4Stats.DeniedGracePeriod;
        return TryGetRange(asked, out range) ? _files.Find(call, asked.Fh.Span, out file) : Nlm4Stats.FBig;
    }

    private bool Monitor(RpcCall call, NlmHost host)
    {
        using var _ = Worker.Blocking();
        return _hosts.Monitor(host, call.LocalEndPoint.Address);
    }

    private void End(NlmHost? host, NlmOwner? owner)
    {
        if (owner is not null)
            ReleaseOwner(owner);
        if (host is not null)
            _hosts.Release(host);
    }

    /// <summary>What the same process number held in the client's life before is gone, whether or not the client's NSM has said so yet.</summary>
    private void BeginLife(NlmOwner owner, int state)
    {
        bool isAnother;
        lock (owner.Host.Lock)
        {
            isAnother = owner.State != 0 && state != 0 && owner.State != state;
            if (state != 0)
            {
                owner.State = state;
                owner.Host.HasRebooted |= owner.Host.State != 0 && owner.Host.State != state;
                owner.Host.State = state;
            }
        }
        if (isAnother)
            _table.ReleaseOwner(owner);
    }

    /// <summary>What stands in the way is a silent client's of another protocol, and has gone.</summary>
    private static bool GivesWay(in LockConflict conflict)
    {
        using var _ = Worker.Blocking();
        return conflict.Owner is { } holder && holder.GiveWay();
    }

    private Nlm4Stats LockNow(NlmOwner owner, in NlmBlockKey key)
    {
        while (true)
        {
            LockOutcome outcome = _table.Lock(key.File, owner, key.Kind, key.Range, out LockConflict conflict);
            if (outcome != LockOutcome.Denied || !GivesWay(conflict))
                return StatusOf(outcome);
        }
    }

    private Nlm4Stats LockOrWait(RpcCall call, NlmOwner owner, in NlmBlockKey key, in Nlm4Lock asked)
    {
        NlmHost host = owner.Host;
        NlmBlock block;
        lock (host.Lock)
        {
            if (host.Blocks.TryGetValue(key, out NlmBlock? known))
            {
                // Asked again: it keeps its place in the line; or has the lock, and this answer says so.
                if (known.State != NlmBlockState.Granted)
                    return Nlm4Stats.Blocked;
                Remove(known);
                return Nlm4Stats.Granted;
            }
            if (host.Blocks.Count >= _options.MaximumBlockedPerHost)
                return Nlm4Stats.DeniedNoLocks;
            block = new NlmBlock(this, owner, key, call.Version, asked);
            host.Blocks.Add(key, block);
            host.Transport = call.Transport;
            owner.References++;
        }
        LockOutcome outcome = _table.Lock(block, out LockConflict conflict);
        // The table grants it when the last that stood in the way has gone.
        while (outcome == LockOutcome.Blocked && GivesWay(conflict) && !_table.Test(key.File, owner, key.Kind, key.Range, out conflict))
        {
        }
        bool isUnwanted;
        lock (host.Lock)
        {
            isUnwanted = block.State == NlmBlockState.Done; // the client's locks were released before the table had this one
            if (block.State == NlmBlockState.Granted)
                outcome = LockOutcome.Granted; // by now: this answer says so
            if (outcome != LockOutcome.Blocked)
                Remove(block);
            else if (block.State == NlmBlockState.New)
                block.State = NlmBlockState.Waiting; // else it has been granted by now
        }
        if (isUnwanted && !_table.Cancel(block))
            _table.Unlock(key.File, owner, key.Range);
        if (outcome == LockOutcome.Blocked)
            LockdLog.Waits(_logger, host.ToString(), _table.WaitingCount);
        return isUnwanted ? Nlm4Stats.DeniedNoLocks : StatusOf(outcome);
    }

    /// <returns>False if it has been granted, or is being asked for at this moment: it stays as it is.</returns>
    private bool CancelBlocked(NlmHost host, in NlmBlockKey key)
    {
        NlmBlock? block;
        lock (host.Lock)
        {
            if (!host.Blocks.TryGetValue(key, out block))
                return true;
            if (block.State == NlmBlockState.New)
                return false;
        }
        if (_table.Cancel(block))
        {
            Finish(block);
            return true;
        }
        // Granted. The client knows now, by this answer: there is no need to tell it, but it has to unlock.
        Finish(block);
        return false;
    }

    /// <summary>Nothing more is to be done for a request.</summary>
    internal static void Finish(NlmBlock block)
    {
        lock (block.Host.Lock)
            Remove(block);
    }

    // Under the host's lock.
    private static void Remove(NlmBlock block)
    {
        Debug.Assert(block.Host.Lock.IsHeldByCurrentThread);
        if (block.State == NlmBlockState.Done)
            return;
        block.State = NlmBlockState.Done;
        block.Host.Blocks.Remove(block.Key);
        block.Granting.Cancel();
        DropReference(block.Owner);
    }

    private static Nlm4Stats StatusOf(LockOutcome outcome) => outcome switch
    {
        LockOutcome.Granted => Nlm4Stats.Granted,
        LockOutcome.Denied => Nlm4Stats.Denied,
        LockOutcome.Blocked => Nlm4Stats.Blocked,
        LockOutcome.Deadlock => Nlm4Stats.Deadlock,
        _ => Nlm4Stats.DeniedNoLocks,
    };

    // Whose it is stands in the process alone: what the holder's client put into its oh is nobody else's business (Linux leaves it out, too).
    private static Nlm4Holder HolderOf(in LockConflict conflict) => new(
        conflict.Kind == LockKind.Write, conflict.Svid, default, conflict.Range.Start,
        conflict.Range.End == ulong.MaxValue ? 0 : conflict.Range.End - conflict.Range.Start + 1);
}
