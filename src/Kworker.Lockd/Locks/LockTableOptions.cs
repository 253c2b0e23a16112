using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Locks;

/// <summary>How a lock table works. Not changed once the table has been made of it.</summary>
internal sealed class LockTableOptions
{
    /// <summary>Opens local files, so that the locks are taken on them as well; null: they stand in the table alone.</summary>
    public ILocalLockFiles? LocalFiles { get; init; }

    /// <summary>How often a request that waits for a program of this machine is tried again: the kernel tells nobody when such a lock goes.</summary>
    public TimeSpan LocalPollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whose workers do the polling; null for the current one.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Where failures of local locks are told.</summary>
    public ILogger? Logger { get; init; }
}
