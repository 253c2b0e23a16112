using Kworker.Lockd.Locks;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.State;

// 4.1: who is to be told when a lock is free (CB_NOTIFY_LOCK, RFC 8881 section 20.11). A hint: the lock is not held for him, and he asks from time to time anyway.
internal sealed partial class NfsState
{
    private readonly Workqueue _callbackQueue;

    /// <summary>Owners that are to be told, of all clients.</summary>
    public int NoticeCount => _byId.Values.Sum(static client => client.Notices.Count);

    /// <summary>Owners of one client that are to be told, at most.</summary>
    public int MaximumNotices => _options.MaximumNotices;

    /// <summary>Takes what is to be said.</summary>
    public ILogger Logger => _logger;

    /// <summary>Where clients are called back.</summary>
    public Workqueue CallbackQueue => _callbackQueue;

    /// <summary>How long a client may take to answer: as long as the kernel's server gives it (<c>nfsd4_create_callback</c>), and not too short for slow ones.</summary>
    public TimeSpan CallbackPatience => TimeSpan.FromSeconds(Math.Max(5, _options.Lease.TotalSeconds / 10));

    /// <summary>A lock was refused to an owner whose client will ask again: it is told when that is worth it, if it can be.</summary>
    /// <returns>False if it is worth it by now.</returns>
    public bool NotifyWhenFree(Session session, LockState locks, ReadOnlyMemory<byte> handle, LockKind kind, LockRange range)
    {
        NfsClient client = locks.Client;
        lock (client.Sync)
        {
            if (client.IsGone)
                return true;
            DropNotice(client, locks.File.Locks, locks.Owner.Name); // it is the last wish that counts
            if (client.Notices.Count >= _options.MaximumNotices)
                return true; // it asks from time to time without us, too
            var notice = new LockNotice(session, locks, handle, kind, range, Now);
            // In the table first: it may be told at once, and who tells takes it out, under this lock.
            client.Notices.Add((notice.File, notice.Name), notice);
            if (_locks.Watch(notice))
                return true;
            client.Notices.Remove((notice.File, notice.Name));
            return false;
        }
    }

    /// <summary>A notice is on its way, or has become pointless.</summary>
    public static void Forget(LockNotice notice)
    {
        NfsClient client = notice.Session.Client;
        lock (client.Sync)
        {
            if (client.Notices.TryGetValue((notice.File, notice.Name), out LockNotice? known) && known == notice)
                client.Notices.Remove((notice.File, notice.Name));
        }
    }

    /// <summary>Client's lock.</summary>
    private void DropNotice(NfsClient client, in LockFileKey file, OwnerName name)
    {
        if (client.Notices.Remove((file, name), out LockNotice? notice))
            _locks.Unwatch(notice);
    }

    /// <summary>Client's lock: of all owners, or of those whose client has not asked for a lease.</summary>
    private void DropNotices(NfsClient client, long notSince)
    {
        foreach (LockNotice notice in client.Notices.Values.Where(notice => notice.AskedAt <= notSince).ToArray())
            DropNotice(client, notice.File, notice.Name);
    }
}
