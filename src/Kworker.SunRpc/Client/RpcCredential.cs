using System.Diagnostics;
using System.Text;

namespace Kworker.SunRpc;

/// <summary>Who a call is from (RFC 5531, 8.2), as it stands in the message. Immutable.</summary>
[DebuggerDisplay("{_flavor}")]
internal sealed class RpcCredential
{
    private readonly RpcAuthFlavor _flavor;
    private readonly byte[] _body;

    private RpcCredential(RpcAuthFlavor flavor, byte[] body)
    {
        _flavor = flavor;
        _body = body;
    }

    /// <summary>AUTH_NONE.</summary>
    public static RpcCredential None { get; } = new(RpcAuthFlavor.None, []);

    /// <summary>AUTH_SYS: user and groups, as this machine says.</summary>
    /// <param name="uid">The user.</param>
    /// <param name="gid">The group.</param>
    /// <param name="groups">Further groups; those past the sixteenth have no place in the protocol and are left out.</param>
    /// <param name="machine">The name of this machine; cut at 255 bytes.</param>
    public static RpcCredential Sys(uint uid, uint gid, ReadOnlySpan<uint> groups, string machine)
    {
        byte[] name = Encoding.UTF8.GetBytes(machine);
        using var writer = new XdrWriter(RpcMessageConstants.MaximumAuthBody);
        writer.WriteUInt32(0); // the stamp: arbitrary
        writer.WriteOpaque(name.AsSpan(0, Math.Min(name.Length, AuthSys.MaximumMachineName)));
        writer.WriteUInt32(uid);
        writer.WriteUInt32(gid);
        int count = Math.Min(groups.Length, AuthSys.MaximumGroups);
        writer.WriteCount(count);
        foreach (uint group in groups[..count])
            writer.WriteUInt32(group);
        return new RpcCredential(RpcAuthFlavor.Sys, writer.Written.ToArray());
    }

    /// <summary>Writes credential and verifier; the latter is AUTH_NONE with both flavors.</summary>
    public void Write(XdrWriter writer)
    {
        writer.WriteUInt32((uint)_flavor);
        writer.WriteOpaque(_body);
        writer.WriteUInt32((uint)RpcAuthFlavor.None);
        writer.WriteUInt32(0);
    }
}
