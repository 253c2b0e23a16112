using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>
/// <c>COMPOUND4args</c>, RFC 7530 section 15.2, RFC 8881 section 16.2: the head read, the operations left as they came, to be read one by one as they run.
/// </summary>
/// <param name="Tag">What the client calls the compound: any bytes, sent back.</param>
/// <param name="MinorVersion">0 or 1, or one that we do not speak.</param>
/// <param name="OperationCount">How many operations the client says there are.</param>
/// <param name="Operations">Their bytes, a slice of the request.</param>
internal readonly record struct CompoundArguments(
    ReadOnlyMemory<byte> Tag, uint MinorVersion, uint OperationCount, ReadOnlyMemory<byte> Operations) : IXdr<CompoundArguments>
{
    // A tag comes back with the reply: a long one would only cost both sides.
    private const int MaxTagLength = 4096;

    public static int MinimumSize => 4 + 4 + 4;

    public static CompoundArguments Read(ref XdrReader reader)
    {
        ReadOnlyMemory<byte> tag = reader.ReadOpaqueMemory(MaxTagLength);
        uint minorVersion = reader.ReadUInt32();
        uint count = reader.ReadUInt32();
        return new CompoundArguments(tag, minorVersion, count, reader.ReadFixedOpaqueMemory(reader.Remaining & ~3));
    }

    public void Write(XdrWriter writer) => throw new NotSupportedException("The server reads compounds, it does not send them.");
}
