namespace Kworker.SunRpc;

/// <summary>
/// A type with an XDR form (RFC 4506). Written by the source generator for <see cref="XdrAttribute"/> and <see cref="XdrUnionAttribute"/>.
/// </summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface IXdr<TSelf>
    where TSelf : IXdr<TSelf>
{
    /// <summary>Bytes that the shortest value takes: what bounds an array's length by the bytes that are there.</summary>
    static abstract int MinimumSize { get; }

    /// <summary>Reads one value.</summary>
    /// <exception cref="XdrException">The bytes are no such value.</exception>
    static abstract TSelf Read(ref XdrReader reader);

    /// <summary>Writes the value.</summary>
    /// <exception cref="XdrException">The value breaks a limit of its type, or the writer's.</exception>
    void Write(XdrWriter writer);
}
