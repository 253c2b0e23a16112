namespace Kworker.SunRpc;

/// <summary>XDR <c>void</c> (RFC 4506, 4.16): arguments or results that take no bytes.</summary>
public readonly record struct XdrVoid : IXdr<XdrVoid>
{
    /// <inheritdoc/>
    public static int MinimumSize => 0;

    /// <inheritdoc/>
    public static XdrVoid Read(ref XdrReader reader) => default;

    /// <inheritdoc/>
    public void Write(XdrWriter writer)
    {
    }
}
