using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc;

/// <summary>
/// What makes two calls the same call, sent again. The client's port is left out on purpose: a client that lost its connection
/// retransmits from another port. The credential's user stands in for it, so that two users of one machine whose numbers meet by chance
/// do not get each other's replies; its stamp does not, since a client may take a new one when it encodes the call anew.
/// </summary>
/// <remarks>
/// The checksum is over the beginning of the arguments and their length, as in Linux's nfsd: the start of a WRITE holds its handle,
/// offset and count, and a checksum over a mebibyte of data would cost as much as copying it.
/// </remarks>
internal readonly record struct ReplyCacheKey(
    UInt128 Address, RpcTransport Transport, uint Xid, uint Program, uint Version, uint Procedure, uint Uid, int Length, int Checksum)
{
    private const int ChecksumBytes = 256;

    public static ReplyCacheKey Of(RpcCall call)
    {
        ReadOnlySpan<byte> arguments = call.Arguments.Span;
        var checksum = new HashCode();
        checksum.AddBytes(arguments[..Math.Min(ChecksumBytes, arguments.Length)]);
        return new ReplyCacheKey(
            AddressOf(call.RemoteEndPoint.Address), call.Transport, call.Xid, call.Program, call.Version, call.Procedure,
            call.Sys?.Uid ?? uint.MaxValue, arguments.Length, checksum.ToHashCode());
    }

    private static UInt128 AddressOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        // An IPv4 address takes the form that IPv6 maps it to.
        if (address.AddressFamily == AddressFamily.InterNetwork)
            bytes[10] = bytes[11] = 0xFF;
        address.TryWriteBytes(address.AddressFamily == AddressFamily.InterNetwork ? bytes[12..] : bytes, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
