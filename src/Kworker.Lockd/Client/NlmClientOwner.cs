using System.Diagnostics;
using System.Text;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;

namespace Kworker.Lockd.Client;

/// <summary>
/// Somebody who locks ranges of one file: an open file. Its locks do not stand in each other's way, but in everybody else's. Thread-safe;
/// of two calls at once for ranges that overlap, either may be last.
/// </summary>
[DebuggerDisplay("{Svid} at {Host}")]
internal sealed class NlmClientOwner : IAsyncDisposable
{
    private readonly byte[] _oh;
    private readonly WaitQueue _settled = new(); // woken when _unsettled becomes 0
    private bool _isDisposed; // interlocked
    private int _unsettled; // interlocked; work items that give back what a caller that gave up may have been given

    internal NlmClientOwner(NlmClientHost host, byte[] fileHandle, int svid, NlmOwnerOptions options)
    {
        Host = host;
        FileHandle = fileHandle;
        Svid = svid;
        Options = options;
        Locks = new NlmHeldLocks(this);
        _oh = Encoding.UTF8.GetBytes($"{svid}@{host.Client.CallerName}");
    }

    /// <summary>The server.</summary>
    public NlmClientHost Host { get; }

    /// <summary>What the server knows the owner by, beside the name of this machine.</summary>
    public int Svid { get; }

    /// <summary>Whether locks were lost that have neither been given up nor taken anew since, and I/O is to be refused for it.</summary>
    public bool IsRefused => !Options.RecoverLostLocks && Host.HasLost(this);

    /// <summary>What it holds, and what it has lost.</summary>
    public IReadOnlyList<NlmHeldLock> Held => Host.HeldBy(this);

    /// <summary>A lock was not given back after the server had restarted. Raised on a worker.</summary>
    public event Action<NlmHeldLock>? Lost;

    internal byte[] FileHandle { get; }

    internal NlmOwnerOptions Options { get; }

    /// <summary>Guarded by the host's lock.</summary>
    internal NlmHeldLocks Locks { get; }

    /// <summary>Takes a lock (<c>nlmclnt_lock</c>).</summary>
    /// <param name="kind">How.</param>
    /// <param name="range">What.</param>
    /// <param name="wait">Whether to wait for it.</param>
    /// <param name="cancellationToken">Ends the wait; the lock is then not held, but what was held before of the range is.</param>
    /// <returns>Granted, Denied, Deadlock, or what else the server says; DeniedNoLocks also if the server cannot be monitored.</returns>
    /// <exception cref="NlmClientException">The server cannot be reached, or has no lock manager.</exception>
    public async ValueTask<Nlm4Stats> LockAsync(LockKind kind, LockRange range, bool wait, CancellationToken cancellationToken = default)
    {
        // Before it is asked for: a reboot that nobody tells us of would lose it.
        if (!await Host.Client.MonitorAsync(Host, cancellationToken))
            return Nlm4Stats.DeniedNoLocks;
        await SettledAsync(cancellationToken);
        NlmClientBlock? block = wait ? new NlmClientBlock(this, kind, range) : null;
        if (block is not null)
            Host.Client.AddBlocked(block);
        bool mayBeHeld = false;
        try
        {
            while (true)
            {
                int state = await Host.ReclaimedAsync(cancellationToken);
                block?.Reset();
                mayBeHeld = true;
                Nlm4Stats stat = await AskAsync(kind, range, block, cancellationToken);
                if (stat == Nlm4Stats.Blocked)
                    continue;
                mayBeHeld = stat == Nlm4Stats.Granted;
                if (stat != Nlm4Stats.Granted || Host.TryRecord(this, kind, range, state))
                    return stat;
                // The server has rebooted since it was asked.
            }
        }
        catch when (mayBeHeld)
        {
            GiveBack(kind, range, wait);
            throw;
        }
        finally
        {
            if (block is not null)
                Host.Client.RemoveBlocked(block);
        }
    }

    /// <summary>Gives a range up.</summary>
    /// <exception cref="NlmClientException">The server cannot be reached. It is given up later.</exception>
    public async ValueTask UnlockAsync(LockRange range, CancellationToken cancellationToken = default)
    {
        await SettledAsync(cancellationToken);
        await Host.StrikeAsync(this, range, cancellationToken);
        try
        {
            await UnlockAtServerAsync(range, cancellationToken);
        }
        catch
        {
            GiveBack(LockKind.Write, range, wasWaiting: false);
            throw;
        }
    }

    /// <summary>Whether a lock could be had.</summary>
    /// <returns>Granted; or Denied, with who stands in the way; or what else the server says.</returns>
    /// <exception cref="NlmClientException">The server cannot be reached, or has no lock manager.</exception>
    public async ValueTask<Nlm4TestReply> TestAsync(LockKind kind, LockRange range, CancellationToken cancellationToken = default)
    {
        Nlm4TestRes result = await Host.CallAsync<Nlm4TestArgs, Nlm4TestRes>(
            this, NlmProcedure.Test, new Nlm4TestArgs(Host.Client.NewCookie(), kind == LockKind.Write, Asked(range)), static result => result.Reply.Stat,
            cancellationToken);
        return result.Reply;
    }

    /// <summary>Gives all up, and the reference to the host. Waits for the server if it must, unless the owner is soft.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        try
        {
            await SettledAsync(Host.Client.Stopping);
            if (Held.Count > 0)
                await UnlockAsync(LockRange.All, Host.Client.Stopping);
        }
        catch (Exception exception) when (exception is NlmClientException or OperationCanceledException)
        {
            NlmClientLog.NotGivenBack(Host.Client.Logger, Host.Name, "UNLOCK", exception.Message);
        }
        finally
        {
            Host.Forget(this);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Svid}@{Host.Client.CallerName}";

    internal void RaiseLost(NlmHeldLock held) => Lost?.Invoke(held);

    internal Nlm4LockArgs LockArguments(LockKind kind, LockRange range, bool wait, bool reclaim) =>
        new(Host.Client.NewCookie(), wait, kind == LockKind.Write, Asked(range), reclaim, Host.Client.NsmState);

    /// <summary>Tries to get a lost lock back as a new one.</summary>
    internal void TakeAnew(NlmHeldLock held) => Later(async cancellation =>
    {
        if (await LockOnceMoreAsync(held.Kind, held.Range, cancellation))
            NlmClientLog.TakenAnew(Host.Client.Logger, Host.Name, Svid, held.Range.ToString());
    });

    private async ValueTask<bool> LockOnceMoreAsync(LockKind kind, LockRange range, CancellationToken cancellationToken)
    {
        while (true)
        {
            int state = await Host.ReclaimedAsync(cancellationToken);
            Nlm4Stats stat = await AskAsync(kind, range, null, cancellationToken);
            if (stat is not (Nlm4Stats.Granted or Nlm4Stats.Blocked))
                return false;
            if (stat == Nlm4Stats.Granted && Host.TryRecord(this, kind, range, state))
                return true;
        }
    }

    /// <returns>Blocked: it is to be asked for again.</returns>
    private async ValueTask<Nlm4Stats> AskAsync(LockKind kind, LockRange range, NlmClientBlock? block, CancellationToken cancellationToken)
    {
        Nlm4Res? result = await Host.TryCallAsync<Nlm4LockArgs, Nlm4Res>(
            this, NlmProcedure.Lock, LockArguments(kind, range, block is not null, reclaim: false), static result => result.Stat, cancellationToken);
        Nlm4Stats stat = result?.Stat ?? Nlm4Stats.Blocked; // in the life of the server that it is asked in then
        if (stat != Nlm4Stats.Blocked || result is null || block is null)
            return stat;
        await block.WaitAsync(Host.Client, Host.Client.PollInterval, cancellationToken);
        return block.IsGranted ? Nlm4Stats.Granted : Nlm4Stats.Blocked;
    }

    private async ValueTask UnlockAtServerAsync(LockRange range, CancellationToken cancellationToken)
    {
        Nlm4Res result = await Host.CallAsync<Nlm4UnlockArgs, Nlm4Res>(
            this, NlmProcedure.Unlock, new Nlm4UnlockArgs(Host.Client.NewCookie(), Asked(range)), static result => result.Stat, cancellationToken);
        if (result.Stat != Nlm4Stats.Granted)
            NlmClientLog.NotGivenBack(Host.Client.Logger, Host.Name, "UNLOCK", result.Stat.ToString());
    }

    /// <summary>
    /// The caller gave up while the server may have given it the range, or may yet: a request that waits is cancelled, and the range made
    /// at the server what it is here. What the owner does next waits for it.
    /// </summary>
    private void GiveBack(LockKind kind, LockRange range, bool wasWaiting) => Later(async cancellation =>
    {
        if (wasWaiting)
        {
            await Host.CallAsync<Nlm4CancArgs, Nlm4Res>(
                this, NlmProcedure.Cancel, new Nlm4CancArgs(Host.Client.NewCookie(), true, kind == LockKind.Write, Asked(range)),
                static result => result.Stat, cancellation);
        }
        foreach ((LockKind? held, LockRange part) in await Host.PartsAsync(this, range, cancellation))
        {
            if (held is not { } before)
            {
                await UnlockAtServerAsync(part, cancellation);
                continue;
            }
            // Never refused: the server has it as this or as more.
            await Host.CallAsync<Nlm4LockArgs, Nlm4Res>(
                this, NlmProcedure.Lock, LockArguments(before, part, wait: false, reclaim: false), static result => result.Stat, cancellation);
        }
    });

    private void Later(Func<CancellationToken, ValueTask> action)
    {
        Interlocked.Increment(ref _unsettled);
        Host.Client.AddReference(Host);
        Host.Client.Later.Queue(new Work<NlmClientOwner>(this, async (owner, _) =>
        {
            try
            {
                await action(owner.Host.Client.Stopping);
            }
            catch (Exception exception) when (exception is NlmClientException or OperationCanceledException)
            {
                NlmClientLog.NotGivenBack(owner.Host.Client.Logger, owner.Host.Name, "the end", exception.Message);
            }
            finally
            {
                Interlocked.Decrement(ref owner._unsettled);
                owner._settled.WakeUpAll();
                owner.Host.Client.Release(owner.Host);
            }
        }));
    }

    private async ValueTask SettledAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _unsettled) == 0)
            return;
        await _settled.WaitEventAsync(
            this, static owner => Volatile.Read(ref owner._unsettled) == 0, Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken);
    }

    private Nlm4Lock Asked(LockRange range) =>
        new(Host.Client.CallerNameBytes, FileHandle, _oh, Svid, range.Start, NlmRange.Length(range));
}
