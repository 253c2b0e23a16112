using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>The credential of an AUTH_SYS call (RFC 5531, appendix A: <c>authsys_parms</c>).</summary>
/// <remarks>Belongs to its call, and is another caller's as soon as that has been answered: copy what you keep.</remarks>
[DebuggerDisplay("uid = {Uid}, gid = {Gid}, {_groupCount} groups")]
public sealed class AuthSys
{
    internal const int MaximumMachineName = 255;
    internal const int MaximumGroups = 16;

    private readonly uint[] _groups = new uint[MaximumGroups];
    private int _groupCount;

    internal AuthSys()
    {
    }

    /// <summary>The caller's effective user.</summary>
    public uint Uid { get; private set; }

    /// <summary>The caller's effective group.</summary>
    public uint Gid { get; private set; }

    /// <summary>The caller's further groups, at most 16.</summary>
    public ReadOnlyMemory<uint> Groups => _groups.AsMemory(0, _groupCount);

    /// <summary>The name that the caller's machine gives itself, at most 255 bytes. Nothing vouches for it.</summary>
    public ReadOnlyMemory<byte> MachineName { get; private set; }

    /// <summary>Reads the credential's body; false if it is none: too long a name, too many groups, bytes missing or left over.</summary>
    internal bool TryRead(ReadOnlyMemory<byte> body)
    {
        try
        {
            var reader = new XdrReader(body);
            reader.ReadUInt32(); // the stamp: an arbitrary number, of no use to a server
            MachineName = reader.ReadOpaqueMemory(MaximumMachineName);
            Uid = reader.ReadUInt32();
            Gid = reader.ReadUInt32();
            _groupCount = reader.ReadCount(MaximumGroups, 4);
            for (int i = 0; i < _groupCount; i++)
                _groups[i] = reader.ReadUInt32();
            return reader.Remaining == 0;
        }
        catch (XdrException)
        {
            // The answer to a malformed credential is AUTH_BADCRED, whatever is wrong with it.
            return false;
        }
    }
}
