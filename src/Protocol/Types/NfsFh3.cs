using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>nfs_fh3</c>, RFC 1813 section 2.6: up to 64 opaque bytes, held by value so that neither reading nor answering one allocates.</summary>
[DebuggerDisplay("{ToString(),nq}")]
internal readonly struct NfsFh3 : IXdr<NfsFh3>
{
    /// <summary><c>NFS3_FHSIZE</c>.</summary>
    public const int MaxLength = 64;

    [InlineArray(MaxLength)]
    private struct Storage
    {
        private byte _first;
    }

    private readonly Storage _bytes;
    private readonly byte _length;

    public NfsFh3(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxLength);
        bytes.CopyTo(_bytes);
        _length = (byte)bytes.Length;
    }

    public static int MinimumSize => 4;

    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._length];

    public static NfsFh3 Read(ref XdrReader reader) => new(reader.ReadOpaque(MaxLength));

    public void Write(XdrWriter writer) => writer.WriteOpaque(Bytes);

    public override string ToString() => Convert.ToHexString(Bytes);
}
