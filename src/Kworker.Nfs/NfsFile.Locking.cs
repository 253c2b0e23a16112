using Kworker.Lockd.Client;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;

namespace Kworker.Nfs;

// Byte-range locks, by NLM. The open file is the owner, as with Linux's open file description locks: two open files of one program stand in
// each other's way, and closing one gives up its locks alone.
public sealed partial class NfsFile
{
    private NlmClientOwner? _locks; // set once, interlocked

    /// <summary>
    /// A lock of this file was lost: the server has restarted and did not give it back. Reading and writing are refused from now on, until
    /// the range is unlocked or locked anew, unless <see cref="NfsClientOptions.RecoverLostLocks"/> says otherwise. Raised on a worker.
    /// </summary>
    public event EventHandler<NfsLockLostEventArgs>? LockLost;

    /// <summary>The owner of its locks; null before the first.</summary>
    internal NlmClientOwner? LockOwner => Volatile.Read(ref _locks);

    /// <summary>Whether a lock of this file was lost, and neither given up nor taken anew since.</summary>
    public bool HasLostLocks => Volatile.Read(ref _locks) is { } locks && locks.Host.HasLost(locks);

    /// <summary>
    /// Locks a range for this open file. What it held of the range before is replaced. The lock is held until it is unlocked or the file is
    /// closed, over restarts of the server. Right after such a restart the server gives no new locks for a while; that is waited out.
    /// </summary>
    /// <param name="start">The first byte.</param>
    /// <param name="length">How many bytes; 0: to the end of the file, wherever that will be.</param>
    /// <param name="kind">How.</param>
    /// <param name="wait">Whether to wait while somebody else holds it.</param>
    /// <param name="cancellationToken">Ends the wait; the lock is then not held.</param>
    /// <returns>False if somebody else holds it; never if <paramref name="wait"/>.</returns>
    /// <exception cref="NfsException">The server refuses, or has no lock manager; to wait would be a deadlock.</exception>
    public async ValueTask<bool> LockAsync(
        long start, long length, NfsLockKind kind = NfsLockKind.Exclusive, bool wait = false, CancellationToken cancellationToken = default)
    {
        LockRange range = RangeOf(start, length);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed) != 0, this);
        if (_client.Mount.Options.NoLock)
            throw new NfsException("LOCK", Path, "mounted without locks");
        try
        {
            NlmClientOwner locks = await LocksAsync(cancellationToken).ConfigureAwait(false);
            return await locks.LockAsync(KindOf(kind), range, wait, cancellationToken).ConfigureAwait(false) switch
            {
                Nlm4Stats.Granted => true,
                Nlm4Stats.Denied => false,
                Nlm4Stats refusal => throw new NfsException("LOCK", Path, Describe(refusal)),
            };
        }
        catch (NlmClientException exception)
        {
            throw new NfsException("LOCK", Path, exception.Message, exception);
        }
    }

    /// <summary>Gives up what this open file holds of a range, if anything.</summary>
    /// <param name="start">The first byte.</param>
    /// <param name="length">How many bytes; 0: to the end of the file.</param>
    /// <param name="cancellationToken">Ends the wait for the server; it is told later.</param>
    /// <exception cref="NfsException">The server cannot be reached; it is told later.</exception>
    public async ValueTask UnlockAsync(long start, long length, CancellationToken cancellationToken = default)
    {
        LockRange range = RangeOf(start, length);
        if (Volatile.Read(ref _locks) is not { } locks)
            return;
        try
        {
            await locks.UnlockAsync(range, cancellationToken).ConfigureAwait(false);
        }
        catch (NlmClientException exception)
        {
            throw new NfsException("UNLOCK", Path, exception.Message, exception);
        }
    }

    /// <summary>Asks whether a range could be locked.</summary>
    /// <returns>Null if it could; else a lock that stands in the way.</returns>
    /// <exception cref="NfsException">The server refuses, or has no lock manager.</exception>
    public async ValueTask<NfsLockConflict?> TestLockAsync(
        long start, long length, NfsLockKind kind = NfsLockKind.Exclusive, CancellationToken cancellationToken = default)
    {
        LockRange range = RangeOf(start, length);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed) != 0, this);
        try
        {
            NlmClientOwner locks = await LocksAsync(cancellationToken).ConfigureAwait(false);
            Nlm4TestReply reply = await locks.TestAsync(KindOf(kind), range, cancellationToken).ConfigureAwait(false);
            return reply.Stat switch
            {
                Nlm4Stats.Granted => null,
                Nlm4Stats.Denied => new NfsLockConflict(
                    (long)reply.Holder.Offset, reply.Holder.Length > long.MaxValue ? 0 : (long)reply.Holder.Length,
                    reply.Holder.Exclusive ? NfsLockKind.Exclusive : NfsLockKind.Shared, reply.Holder.Svid),
                Nlm4Stats refusal => throw new NfsException("TEST", Path, Describe(refusal)),
            };
        }
        catch (NlmClientException exception)
        {
            throw new NfsException("TEST", Path, exception.Message, exception);
        }
    }

    private static LockRange RangeOf(long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length > 0)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length - 1, long.MaxValue - start, nameof(length));
        LockRange.TryCreate((ulong)start, (ulong)length, out LockRange range);
        return range;
    }

    private static LockKind KindOf(NfsLockKind kind) => kind == NfsLockKind.Exclusive ? LockKind.Write : LockKind.Read;

    private static string Describe(Nlm4Stats refusal) => refusal switch
    {
        Nlm4Stats.DeniedNoLocks => "the server has no room for the lock, or cannot monitor this machine (or this machine it)",
        Nlm4Stats.Deadlock => "to wait for it would be a deadlock",
        Nlm4Stats.RoFs => "read-only file system",
        Nlm4Stats.StaleFh => "stale file handle",
        Nlm4Stats.FBig => "the range lies beyond what the server can lock",
        _ => $"the lock manager failed ({refusal})",
    };

    private async ValueTask<NlmClientOwner> LocksAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _locks) is { } known)
            return known;
        NlmClientOwner made = await _client.Mount.Locks.OpenAsync(_inode.Handle, Path, cancellationToken).ConfigureAwait(false);
        made.Lost += held => LockLost?.Invoke(this, new NfsLockLostEventArgs(
            (long)held.Range.Start, (long)NlmRange.Length(held.Range), held.Kind == LockKind.Write ? NfsLockKind.Exclusive : NfsLockKind.Shared));
        NlmClientOwner? faster = Interlocked.CompareExchange(ref _locks, made, null);
        // Closing comes first or sees it.
        if (faster is not null || Volatile.Read(ref _isClosed) != 0)
            await made.DisposeAsync().ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed) != 0, this);
        return faster ?? made;
    }

    private void CheckLocks(string operation)
    {
        if (Volatile.Read(ref _locks) is { IsRefused: true })
            throw new NfsException(operation, Path, "a lock of this file was lost when the server restarted; unlock the range, or lock it anew");
    }

    private ValueTask CloseLocksAsync() => Volatile.Read(ref _locks)?.DisposeAsync() ?? default;
}
