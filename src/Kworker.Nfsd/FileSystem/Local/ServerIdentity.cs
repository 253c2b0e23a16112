using System.Globalization;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>Who the server is to the kernel, and whether it may act as others.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ServerIdentity
{
    private const int SetGid = 6;
    private const int SetUid = 7;

    private readonly uint[] _groups;

    private ServerIdentity(uint uid, uint gid, uint[] groups, bool canImpersonate)
    {
        Uid = uid;
        Gid = gid;
        _groups = groups;
        CanImpersonate = canImpersonate;
    }

    public uint Uid { get; }
    public uint Gid { get; }
    public ReadOnlySpan<uint> Groups => _groups;

    /// <summary>Whether calls run as the calling user (the server is root), or the server checks mode bits itself.</summary>
    public bool CanImpersonate { get; }

    /// <summary>The identity of the calling thread.</summary>
    /// <param name="mayImpersonate">False to check mode bits even as root.</param>
    public static unsafe ServerIdentity OfThisThread(bool mayImpersonate)
    {
        Libc.Prepare();
        uint uid = Libc.GetEUid();
        int count = Math.Max(0, Libc.GetGroups(0, null));
        uint[] groups = new uint[count];
        fixed (uint* first = groups)
            count = Math.Max(0, Libc.GetGroups(count, first));
        ulong capabilities = ReadCapabilities();
        bool can = mayImpersonate && uid == 0 && Libc.IsKnownArchitecture
            && (capabilities & 1ul << SetUid) != 0 && (capabilities & 1ul << SetGid) != 0
            && Libc.SetThreadGroups(groups.AsSpan(0, count)) == 0; // Containers without real root refuse even what changes nothing.
        return new ServerIdentity(uid, Libc.GetEGid(), groups[..count], can);
    }

    private static ulong ReadCapabilities()
    {
        foreach (string line in File.ReadLines("/proc/thread-self/status"))
        {
            if (line.StartsWith("CapEff:", StringComparison.Ordinal))
                return ulong.Parse(line.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        return 0;
    }
}
