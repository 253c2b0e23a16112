using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Exports;

/// <summary>Which callers become the anonymous user.</summary>
public enum Squash
{
    /// <summary><c>root_squash</c>: uid 0 and gid 0. The default.</summary>
    Root,
    /// <summary><c>no_root_squash</c>: nobody.</summary>
    None,
    /// <summary><c>all_squash</c>: everybody.</summary>
    All,
}

/// <summary>What an export grants to a client: the options of exports(5). Immutable.</summary>
public sealed record ExportOptions
{
    /// <summary>What exports(5) grants when nothing is said: read-only, from privileged ports, root squashed, sync.</summary>
    public static ExportOptions Default { get; } = new();

    /// <summary><c>ro</c> (default) or <c>rw</c>.</summary>
    public bool IsReadOnly { get; init; } = true;

    /// <summary><c>secure</c> (default) or <c>insecure</c>: whether requests must come from a port below 1024.</summary>
    public bool RequiresPrivilegedPort { get; init; } = true;

    /// <summary>
    /// <c>sync</c> (default, false) or <c>async</c>: whether the server may answer before changes are on stable storage. Faster, and
    /// whatever was answered and not yet written is lost with the power, unnoticed by clients. Holds for the export as a whole: it is in force when every client of
    /// it has it (<see cref="Export.IsAsync"/>).
    /// </summary>
    public bool IsAsync { get; init; }

    /// <summary>Who becomes the anonymous user.</summary>
    public Squash Squash { get; init; }

    /// <summary><c>anonuid=</c>.</summary>
    public uint AnonymousUid { get; init; } = NfsCredentials.NobodyId;

    /// <summary><c>anongid=</c>.</summary>
    public uint AnonymousGid { get; init; } = NfsCredentials.NobodyId;

    /// <summary><c>fsid=</c> as given (a number, <c>root</c> or a UUID); null if not given. It makes <see cref="Export.Id"/>.</summary>
    public string? FileSystemId { get; init; }

    /// <summary>Whom the caller counts as here.</summary>
    /// <param name="caller">As it says itself; null for AUTH_NONE, which is the anonymous user.</param>
    public NfsCredentials Apply(NfsCredentials? caller)
    {
        if (caller is null || Squash == Squash.All)
            return new NfsCredentials(AnonymousUid, AnonymousGid);
        if (Squash == Squash.None || (caller.Uid != 0 && !caller.IsInGroup(0)))
            return caller;

        // As the kernel does it: each id by itself, so that a member of group 0 who is not root stays who he is, without the group.
        uint[] groups = caller.Groups.ToArray();
        groups.AsSpan().Replace(0u, AnonymousGid);
        return new NfsCredentials(
            caller.Uid == 0 ? AnonymousUid : caller.Uid, caller.Gid == 0 ? AnonymousGid : caller.Gid, groups);
    }
}
