namespace Kworker.SunRpc;

/// <summary>The bounds of the duplicate-request cache. Whichever is met first, the oldest replies are forgotten.</summary>
public sealed class ReplyCacheOptions
{
    /// <summary>Replies remembered, at most; 0 turns the cache off.</summary>
    public int MaximumEntries { get; set; } = 65_536;

    /// <summary>Bytes of all replies remembered, at most.</summary>
    public long MaximumBytes { get; set; } = 32 << 20;

    /// <summary>Bytes of one reply; a longer one is not remembered.</summary>
    public int MaximumReplyBytes { get; set; } = 16 << 10;

    /// <summary>How long a reply is remembered. Clients over TCP retransmit after a minute.</summary>
    public TimeSpan MaximumAge { get; set; } = TimeSpan.FromMinutes(2);
}
