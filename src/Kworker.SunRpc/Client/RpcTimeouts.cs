namespace Kworker.SunRpc;

/// <summary>
/// When a call that got no reply is sent again, and when patience ends (<c>struct rpc_timeout</c>; what mount options <c>timeo</c> and
/// <c>retrans</c> set). Immutable.
/// </summary>
/// <param name="Initial">Until the first retransmission. More than zero.</param>
/// <param name="Increment">What each further wait is longer by; not used if <paramref name="IsExponential"/>.</param>
/// <param name="Maximum">The longest wait, and the longest patience.</param>
/// <param name="Retransmissions">Retransmissions until patience ends (<c>to_retries</c>).</param>
/// <param name="IsExponential">Each wait is twice the one before.</param>
internal sealed record RpcTimeouts(TimeSpan Initial, TimeSpan Increment, TimeSpan Maximum, int Retransmissions, bool IsExponential)
{
    /// <summary>What Linux has for NFS over TCP: <c>timeo=600,retrans=2</c>.</summary>
    public static RpcTimeouts Tcp { get; } = Linear(TimeSpan.FromSeconds(60), 2);

    /// <summary>What Linux has for NFS over UDP: <c>timeo=11,retrans=3</c>.</summary>
    public static RpcTimeouts Udp { get; } = Exponential(TimeSpan.FromSeconds(1.1), 3);

    /// <summary>Waits that grow by the first one, as over a transport that loses nothing.</summary>
    public static RpcTimeouts Linear(TimeSpan initial, int retransmissions) =>
        new(initial, initial, initial * (retransmissions + 1), retransmissions, false);

    /// <summary>Waits that double, as over a transport that loses messages.</summary>
    public static RpcTimeouts Exponential(TimeSpan initial, int retransmissions) =>
        new(initial, TimeSpan.Zero, TimeSpan.FromSeconds(60) < initial ? initial : TimeSpan.FromSeconds(60), retransmissions, true);

    /// <summary>How long a call may go without a reply until the server is said not to respond (<c>xprt_calc_majortimeo</c>).</summary>
    public TimeSpan Major
    {
        get
        {
            TimeSpan major = IsExponential ? Initial * Math.Pow(2, Math.Min(Retransmissions, 30)) : Initial + (Increment * Retransmissions);
            return major > Maximum ? Maximum : major;
        }
    }

    /// <summary>The wait after one of <paramref name="timeout"/>, within the same patience.</summary>
    public TimeSpan After(TimeSpan timeout)
    {
        TimeSpan next = IsExponential ? timeout * 2 : timeout + Increment;
        return next > Maximum ? Maximum : next;
    }
}
