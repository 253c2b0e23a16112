using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

/// <summary>
/// The head of a reply whose data is filled in place, before it is known what the head says: status OK, attributes, and a part of fixed
/// size. The constructor leaves room for it; data is written behind; then the head is written, or all is taken back.
/// </summary>
internal readonly ref struct ReplyHead
{
    private const int StatusSize = 4;

    private readonly XdrWriter _reply;
    private readonly int _start;
    private readonly int _size;

    /// <param name="reply">The reply.</param>
    /// <param name="fixedSize">Bytes between the attributes and the data.</param>
    public ReplyHead(XdrWriter reply, int fixedSize)
    {
        _reply = reply;
        _start = reply.Position;
        _size = SizeOf(fixedSize);
        Span<byte> room = stackalloc byte[_size];
        room.Clear();
        reply.WriteFixedOpaque(room);
    }

    /// <summary>Bytes that a head takes.</summary>
    public static int SizeOf(int fixedSize) => StatusSize + PostOpAttr.FullSize + fixedSize;

    /// <summary>Writes the head; the reply then stands behind the data.</summary>
    public void Finish(in PostOpAttr attributes, ReadOnlySpan<byte> fixedPart)
    {
        int end = _reply.Position;
        if (attributes.Attributes is null)
        {
            // The file went away under the operation: a shorter head, and the one case in which data is moved.
            byte[] data = _reply.Written.Span[(_start + _size)..].ToArray();
            WriteHead(attributes, fixedPart);
            _reply.WriteFixedOpaque(data);
            return;
        }
        WriteHead(attributes, fixedPart);
        _reply.Position = end;
    }

    /// <summary>Takes back head and data: the reply stands where it stood before.</summary>
    public void TakeBack() => _reply.Position = _start;

    private void WriteHead(in PostOpAttr attributes, ReadOnlySpan<byte> fixedPart)
    {
        _reply.Position = _start;
        _reply.WriteUInt32((uint)Nfsstat3.Ok);
        attributes.Write(_reply);
        _reply.WriteFixedOpaque(fixedPart);
    }
}
