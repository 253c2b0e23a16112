namespace Kworker.Lockd.Nlm;

// GRANTED: telling a client that it has what it waits for (nlmsvc_grant_blocked, nlmsvc_grant_reply).
internal sealed partial class NlmServer
{
    /// <summary>The table took the lock for a request that waited. Called without locks, by whoever let go of what stood in the way.</summary>
    internal void Granted(NlmBlock block)
    {
        lock (block.Host.Lock)
        {
            if (block.State == NlmBlockState.Done)
                return; // its owner was released in the same moment, and the lock with it
            block.State = NlmBlockState.Granted;
            block.GrantedAt = _time.GetTimestamp();
        }
        _queue.Queue(block.Granting, TimeSpan.Zero);
    }

    /// <summary>The work function of <see cref="NlmBlock.Granting"/>.</summary>
    internal async ValueTask GrantAsync(NlmBlock block, CancellationToken cancellationToken)
    {
        if (!IsToBeTold(block))
            return;
        NlmCallResult<Nlm4Res> result = await _callbacks.GrantedAsync(block, cancellationToken);
        if (!IsToBeTold(block))
            return; // The client has asked, unlocked or rebooted meanwhile.
        switch (result)
        {
            case { Result: { Stat: Nlm4Stats.Granted } }:
                Finish(block);
                return;
            case { Result: { Stat: Nlm4Stats.DeniedGracePeriod } }:
                break; // The client's lock manager has only just started: again later.
            case { Result: not null } when block.MayBeKnown || result.MayBeDelivered:
                // An earlier call may have arrived, and been answered with a yes that was lost: to a client that has taken its lock already, the second
                // call is about nothing. It is the client's then; were it not, it would have cancelled.
                Finish(block);
                return;
            case { Result: not null }:
                Refuse(block);
                return;
            default:
                block.MayBeKnown |= result.MayBeDelivered;
                break;
        }
        string reason = result.Result is null ? result.Reason! : "it is in grace";
        if (_time.GetElapsedTime(block.GrantedAt) + _options.GrantRetryInterval > _options.GrantPatience)
        {
            LockdLog.GrantGivenUp(_logger, block.Host.ToString(), reason);
            Refuse(block);
            return;
        }
        _queue.Queue(block.Granting, _options.GrantRetryInterval);
        LockdLog.CallbackFailed(_logger, block.Host.ToString(), "GRANTED", reason);
    }

    private static bool IsToBeTold(NlmBlock block)
    {
        lock (block.Host.Lock)
            return block.State == NlmBlockState.Granted;
    }

    /// <summary>The client does not want it: it is unlocked, and the next in line gets it.</summary>
    private void Refuse(NlmBlock block)
    {
        NlmOwner owner = block.Owner;
        lock (owner.Host.Lock)
        {
            if (block.State != NlmBlockState.Granted)
                return;
            owner.References++;
            Remove(block);
        }
        _table.Unlock(block.File, owner, block.Range);
        ReleaseOwner(owner);
    }
}
