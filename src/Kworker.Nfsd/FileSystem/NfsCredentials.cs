using System.Diagnostics;

namespace Kworker.Nfsd.FileSystem;

/// <summary>On whose behalf an operation runs. Immutable; safe for any number of threads.</summary>
/// <remarks>
/// What reaches a file system is already squashed by the rules of the export (<c>root_squash</c>, <c>all_squash</c>):
/// uid 0 here means that root's rights are granted.
/// </remarks>
[DebuggerDisplay("uid {Uid}, gid {Gid}, {Groups.Length} groups")]
public sealed class NfsCredentials
{
    /// <summary>The uid and gid that stand for "nobody" where exports(5) says no other.</summary>
    public const uint NobodyId = 65534;

    /// <summary>Root, with no further groups.</summary>
    public static NfsCredentials Root { get; } = new(0, 0);

    /// <summary>Nobody.</summary>
    public static NfsCredentials Nobody { get; } = new(NobodyId, NobodyId);

    private readonly uint[] _groups;

    /// <summary>Takes a copy of <paramref name="groups"/>.</summary>
    /// <param name="uid">The user.</param>
    /// <param name="gid">The group that new files get.</param>
    /// <param name="groups">Supplementary groups, in any order.</param>
    public NfsCredentials(uint uid, uint gid, params ReadOnlySpan<uint> groups)
    {
        Uid = uid;
        Gid = gid;
        _groups = groups.ToArray();
    }

    /// <summary>The user.</summary>
    public uint Uid { get; }

    /// <summary>The group that new files get.</summary>
    public uint Gid { get; }

    /// <summary>Supplementary groups as given.</summary>
    public ReadOnlySpan<uint> Groups => _groups;

    /// <summary>Whether the caller is in <paramref name="gid"/>, by its group or a supplementary one.</summary>
    public bool IsInGroup(uint gid) => gid == Gid || _groups.AsSpan().Contains(gid);
}
