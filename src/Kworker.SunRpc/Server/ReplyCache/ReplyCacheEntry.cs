using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>One call in the duplicate-request cache. All fields are guarded by the cache's lock, but for those that never change.</summary>
[DebuggerDisplay("xid {Key.Xid}, procedure {Key.Procedure}, {Reply?.Length} bytes")]
internal sealed class ReplyCacheEntry<TCall>(ReplyCacheKey key, object source)
    where TCall : class
{
    public ReplyCacheKey Key { get; } = key;

    /// <summary>The connection or socket that the call came by.</summary>
    public object Source { get; } = source;

    /// <summary>The whole reply message; null while the call runs.</summary>
    public byte[]? Reply { get; set; }

    /// <summary>When the call ended, as the clock's time stamp.</summary>
    public long Ended { get; set; }

    /// <summary>The same call, come by another connection while this one ran; it is answered together with this one.</summary>
    public TCall? Follower { get; set; }

    public ReplyCacheEntry<TCall>? Older { get; set; }

    public ReplyCacheEntry<TCall>? Newer { get; set; }
}
