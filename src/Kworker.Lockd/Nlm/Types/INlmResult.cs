namespace Kworker.Lockd.Nlm;

/// <summary>A result that outlives its call.</summary>
internal interface INlmResult<TSelf>
    where TSelf : INlmResult<TSelf>
{
    /// <summary>The same, with a cookie that is not the request's bytes.</summary>
    TSelf WithOwnCookie();
}

internal readonly partial record struct Nlm4TestRes : INlmResult<Nlm4TestRes>
{
    /// <inheritdoc/>
    public Nlm4TestRes WithOwnCookie() => this with { Cookie = Cookie.ToArray() };
}

internal readonly partial record struct NlmTestRes : INlmResult<NlmTestRes>
{
    /// <inheritdoc/>
    public NlmTestRes WithOwnCookie() => this with { Cookie = Cookie.ToArray() };
}

internal readonly partial record struct Nlm4Res : INlmResult<Nlm4Res>
{
    /// <inheritdoc/>
    public Nlm4Res WithOwnCookie() => this with { Cookie = Cookie.ToArray() };
}
