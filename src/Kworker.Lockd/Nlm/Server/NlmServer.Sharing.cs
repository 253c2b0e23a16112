using Kworker.Lockd.Locks;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// SHARE and UNSHARE (fs/lockd/svcshare.c).
internal sealed partial class NlmServer
{
    /// <summary>SHARE.</summary>
    public Nlm4Stats Share(RpcCall call, in Nlm4ShareArgs arguments)
    {
        Nlm4Share asked = arguments.Share;
        if (_grace.IsInGrace && !arguments.Reclaim)
            return Nlm4Stats.DeniedGracePeriod;
        bool isWriting = (asked.Access & Fsh4Access.Write) != 0;
        Nlm4Stats status = _files.Open(call, asked.Fh.Span, isWriting ? LockKind.Write : LockKind.Read, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return status;
        NlmHost? host = AcquireHost(call, asked.CallerName);
        try
        {
            return host is null || !Monitor(call, host) ? Nlm4Stats.DeniedNoLocks : _shares.Add(file, host, asked);
        }
        finally
        {
            End(host, null);
        }
    }

    /// <summary>UNSHARE.</summary>
    public Nlm4Stats Unshare(RpcCall call, in Nlm4ShareArgs arguments)
    {
        Nlm4Share asked = arguments.Share;
        if (_grace.IsInGrace)
            return Nlm4Stats.DeniedGracePeriod;
        Nlm4Stats status = _files.Find(call, asked.Fh.Span, out LockFileKey file);
        if (status != Nlm4Stats.Granted)
            return status;
        NlmHost? host = FindHost(call, asked.CallerName);
        try
        {
            if (host is not null)
                _shares.Remove(file, host, asked.Oh.Span);
            return Nlm4Stats.Granted;
        }
        finally
        {
            End(host, null);
        }
    }
}
