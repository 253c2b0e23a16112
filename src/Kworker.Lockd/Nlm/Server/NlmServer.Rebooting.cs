using Kworker.Lockd.Nsm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

// FREE_ALL, and what NSM tells of a client (nlm_host_rebooted, nlmsvc_free_host_resources).
internal sealed partial class NlmServer
{
    /// <summary>FREE_ALL: a client gives up all that it has, its own host's and nobody else's.</summary>
    public void FreeAll(RpcCall call, in Nlm4Notify arguments)
    {
        if (FindHost(call, arguments.Name) is not { } host)
            return;
        LockdLog.HostFreesAll(_logger, host.ToString());
        ReleaseAll(host, exceptState: 0);
        _hosts.Release(host);
    }

    /// <summary>NSM says that a client has rebooted: what it held in its life before is released.</summary>
    private void HostRebooted(NsmReboot reboot)
    {
        if (_hosts.Find(reboot.Address, global::System.Text.Encoding.Latin1.GetBytes(reboot.Name)) is not { } host)
            return;
        LockdLog.HostRebooted(_logger, host.ToString());
        ReleaseAll(host, reboot.State);
        _hosts.Release(host);
    }

    /// <summary>
    /// Releases a host's locks, requests and shares, but for the locks that it has taken since it got the state <paramref name="exceptState"/>: its
    /// notice may come later than they. That is believed only of a host that was seen to change its state: there are some that lose it.
    /// </summary>
    private void ReleaseAll(NlmHost host, int exceptState)
    {
        NlmOwner[] owners;
        lock (host.Lock)
        {
            owners = [.. host.Owners.Values.Where(owner => !host.HasRebooted || exceptState == 0 || owner.State != exceptState)];
            foreach (NlmOwner owner in owners)
                owner.References++;
        }
        foreach (NlmOwner owner in owners)
        {
            NlmBlock[] blocks;
            lock (host.Lock)
                blocks = [.. host.Blocks.Values.Where(block => ReferenceEquals(block.Owner, owner))];
            foreach (NlmBlock block in blocks)
                Finish(block);
            _table.ReleaseOwner(owner);
            ReleaseOwner(owner);
        }
        _shares.RemoveAll(host);
    }
}
