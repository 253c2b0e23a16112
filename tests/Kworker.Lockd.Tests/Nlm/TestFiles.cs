using System.Text;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>Files by name: the handle is the name. Every file is there, but for what the test has said of some.</summary>
internal sealed class TestFiles : INlmFiles
{
    /// <summary>What locking a file comes to; <c>ro</c> for writing only is said by <see cref="ReadOnly"/>.</summary>
    public Dictionary<string, Nlm4Stats> Refusals { get; } = [];

    public HashSet<string> ReadOnly { get; } = [];

    /// <summary>Files that are gone: they can be unlocked, not locked.</summary>
    public HashSet<string> Gone { get; } = [];

    public Exception? Fault { get; set; }

    public Nlm4Stats Find(RpcCall call, ReadOnlySpan<byte> handle, out LockFileKey file)
    {
        file = new LockFileKey(handle);
        return Refusals.GetValueOrDefault(Encoding.UTF8.GetString(handle), Nlm4Stats.Granted);
    }

    public Nlm4Stats Open(RpcCall call, ReadOnlySpan<byte> handle, LockKind kind, out LockFileKey file)
    {
        if (Fault is not null)
            throw Fault;
        Nlm4Stats found = Find(call, handle, out file);
        string name = Encoding.UTF8.GetString(handle);
        if (found == Nlm4Stats.Granted && kind == LockKind.Write && ReadOnly.Contains(name))
            return Nlm4Stats.RoFs;
        return found == Nlm4Stats.Granted && Gone.Contains(name) ? Nlm4Stats.StaleFh : found;
    }
}
