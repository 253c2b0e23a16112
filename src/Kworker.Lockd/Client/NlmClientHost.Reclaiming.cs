using Kworker.Lockd.Nlm;

namespace Kworker.Lockd.Client;

// The reclaimer (nlmclnt_recovery, reclaimer): one thread a server, however many reboots it is told of.
internal sealed partial class NlmClientHost
{
    private int _state; // _lock; the server's lives that we know of
    private bool _isReclaiming; // _lock; true from before the thread is made until it has nothing more to do (h_reclaiming)
    private Kthread? _reclaimer; // _lock; the last one; it may have ended

    /// <summary>Whether locks are being reclaimed now.</summary>
    public bool IsReclaiming
    {
        get
        {
            lock (_lock)
                return _isReclaiming;
        }
    }

    /// <summary>The thread that reclaims, or did last; null before the first.</summary>
    internal Kthread? Reclaimer
    {
        get
        {
            lock (_lock)
                return _reclaimer;
        }
    }

    /// <summary>The server has rebooted: starts the reclaimer, or has the one that runs start over.</summary>
    internal void Rebooted(int nsmState)
    {
        lock (_lock)
        {
            _state++;
            News();
            if (_isReclaiming)
                return; // it looks at _state before it ends, under this lock
            _isReclaiming = true;
        }
        NlmClientLog.Reclaiming(_client.Logger, Name, nsmState);
        _client.AddReference(this);
        try
        {
            Kthread thread = _client.Options.RunThread(static host => host.ReclaimAsync(), this, $"{Name}-reclaim", _client.System);
            lock (_lock)
                _reclaimer = thread;
        }
        catch (Exception exception) // whatever it is: the locks are not reclaimed, and their owners must not believe so
        {
            NlmClientLog.NoReclaimer(_client.Logger, Name, exception.Message);
            GiveUpReclaiming();
            _client.Release(this);
        }
    }

    // The thread's function. What follows its awaits runs on the thread.
    private async ValueTask<int> ReclaimAsync()
    {
        try
        {
            while (true)
            {
                int state = await ReclaimAllAsync(_client.Stopping);
                lock (_lock)
                {
                    if (_state == state)
                    {
                        _isReclaiming = false;
                        News();
                        break;
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
                _isReclaiming = false; // the client is being closed: nobody locks any more
        }
        Reclaimed();
        return 0;
    }

    // The end of the reclaimer, after _isReclaiming has become false.
    private void Reclaimed()
    {
        _reclaimed.WakeUpAll();
        _client.WakeBlocked(this);
        TakeLostAnew();
        _client.Release(this);
    }

    /// <summary>The client is closed: no reclaimer runs any more.</summary>
    internal async ValueTask StopReclaimingAsync()
    {
        if (Reclaimer is not { } reclaimer || await reclaimer.StopAsync() != -Errno.EINTR)
            return;
        // Stopped before it ran, it never will, and those who wait for it would wait for ever.
        lock (_lock)
            _isReclaiming = false;
        Reclaimed();
    }

    /// <summary>Reclaims all that is held, until done or until the server has rebooted once more.</summary>
    /// <returns>The life of the server that it was for.</returns>
    private async ValueTask<int> ReclaimAllAsync(CancellationToken cancellationToken)
    {
        int state;
        NlmHeldLock[] held;
        lock (_lock)
        {
            state = _state;
            held = [.. _owners.SelectMany(static owner => owner.Locks.All).Where(static held => !held.IsLost).OrderBy(static held => held.Number)];
        }
        await UnbindAllAsync(); // its port may be another one
        int count = 0;
        foreach (NlmHeldLock one in held)
        {
            string? refusal = await ReclaimAsync(one, state, cancellationToken);
            lock (_lock)
            {
                // Whatever the answer was: what it granted, if anything, is gone again.
                if (_state != state)
                    return state;
                one.IsLost = refusal is not null;
            }
            if (refusal is null)
                count++;
            else
                Report(one, refusal);
        }
        NlmClientLog.Reclaimed(_client.Logger, Name, count);
        return state;
    }

    /// <returns>Null: it is held again, or the server has rebooted once more. Else why not.</returns>
    private async ValueTask<string?> ReclaimAsync(NlmHeldLock held, int state, CancellationToken cancellationToken)
    {
        while (true)
        {
            int news;
            lock (_lock)
            {
                if (_state != state)
                    return null;
                news = _news;
            }
            try
            {
                Nlm4Res result = await CallOnceAsync<Nlm4LockArgs, Nlm4Res>(
                    held.Owner, NlmProcedure.Lock, held.Owner.LockArguments(held.Kind, held.Range, wait: false, reclaim: true), cancellationToken);
                return result.Stat == Nlm4Stats.Granted ? null : result.Stat.ToString();
            }
            catch (NlmUnreachableException exception)
            {
                // Told before it was up: it is waited for, as long as it takes.
                SayNotResponding(exception.Message);
            }
            catch (NlmClientException exception)
            {
                return exception.Message;
            }
            await PauseAsync(news, _client.Options.RetryInterval, cancellationToken);
        }
    }

    private void GiveUpReclaiming()
    {
        NlmHeldLock[] lost;
        lock (_lock)
        {
            lost = [.. _owners.SelectMany(static owner => owner.Locks.All).Where(static held => !held.IsLost).OrderBy(static held => held.Number)];
            foreach (NlmHeldLock held in lost)
                held.IsLost = true;
            _isReclaiming = false;
            News();
        }
        foreach (NlmHeldLock held in lost)
            Report(held, "no reclaimer");
        _reclaimed.WakeUpAll();
        _client.WakeBlocked(this);
        TakeLostAnew();
    }

    private void Report(NlmHeldLock held, string reason)
    {
        NlmClientLog.Lost(_client.Logger, Name, held.Owner.Svid, held.Range.ToString(), reason);
        _client.Queue.Queue(new Work<NlmHeldLock>(held, static held => held.Owner.RaiseLost(held)));
    }

    private void TakeLostAnew()
    {
        NlmHeldLock[] lost;
        lock (_lock)
            lost = [.. _owners.Where(static owner => owner.Options.RecoverLostLocks).SelectMany(static owner => owner.Locks.All).Where(static held => held.IsLost)];
        foreach (NlmHeldLock held in lost)
            held.Owner.TakeAnew(held);
    }
}
