using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Nlm;

/// <summary>The DOS shares of all files (<c>nlmsvc_share_file</c>). They bind those that share, and nobody else. Thread-safe.</summary>
[DebuggerDisplay("{_files.Count} files")]
internal sealed class NlmShares(int maximumPerHost)
{
    private sealed record Share(NlmHost Host, byte[] Owner)
    {
        public Fsh4Mode Mode { get; set; }

        public Fsh4Access Access { get; set; }

        public bool IsOf(NlmHost host, ReadOnlySpan<byte> owner) => ReferenceEquals(Host, host) && Owner.AsSpan().SequenceEqual(owner);
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<LockFileKey, List<Share>> _files = []; // _lock

    /// <summary>Opens with denials, or changes what the owner has opened with.</summary>
    public Nlm4Stats Add(LockFileKey file, NlmHost host, in Nlm4Share asked)
    {
        lock (_lock)
        {
            List<Share> shares = _files.GetValueOrDefault(file) ?? [];
            Share? own = null;
            foreach (Share share in shares)
            {
                if (share.IsOf(host, asked.Oh.Span))
                    own = share;
                else if (((int)asked.Access & (int)share.Mode) != 0 || ((int)asked.Mode & (int)share.Access) != 0)
                    return Nlm4Stats.Denied;
            }
            if (own is null)
            {
                if (host.ShareCount >= maximumPerHost)
                    return Nlm4Stats.DeniedNoLocks;
                own = new Share(host, asked.Oh.ToArray());
                shares.Add(own);
                host.ShareCount++;
                _files[file] = shares;
            }
            own.Mode = asked.Mode;
            own.Access = asked.Access;
            return Nlm4Stats.Granted;
        }
    }

    /// <summary>Closes. That there was nothing is no error (XNFS).</summary>
    public void Remove(LockFileKey file, NlmHost host, ReadOnlySpan<byte> owner)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(file, out List<Share>? shares))
                return;
            foreach (Share share in shares)
            {
                if (!share.IsOf(host, owner))
                    continue;
                shares.Remove(share);
                host.ShareCount--;
                break;
            }
            if (shares.Count == 0)
                _files.Remove(file);
        }
    }

    /// <summary>Closes all of a host's.</summary>
    public void RemoveAll(NlmHost host)
    {
        lock (_lock)
        {
            if (host.ShareCount == 0)
                return;
            foreach ((LockFileKey file, List<Share> shares) in _files.ToArray())
            {
                shares.RemoveAll(share => ReferenceEquals(share.Host, host));
                if (shares.Count == 0)
                    _files.Remove(file);
            }
            host.ShareCount = 0;
        }
    }
}
