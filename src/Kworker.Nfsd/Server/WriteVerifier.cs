using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kworker.Nfsd.Server;

/// <summary>
/// The write verifier of RFC 1813 section 3.3.7: another one after each start, and whenever a file system has lost unstable data.
/// Clients that see it change send again what was not committed. Thread-safe.
/// </summary>
internal sealed class WriteVerifier
{
    private readonly ulong _start = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>The verifier for a write epoch: two epochs never have the same.</summary>
    public ulong Of(ulong epoch) => unchecked(_start + epoch);
}
