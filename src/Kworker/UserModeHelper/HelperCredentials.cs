using System.Diagnostics;

namespace Kworker;

/// <summary>Whose rights a helper has: user, group and supplementary groups, all three, so that none is left over from this process.</summary>
/// <remarks>
/// <para>
/// Linux alone; elsewhere such a helper is refused (-ENOSYS). It takes the right to change ids (root, or CAP_SETUID and CAP_SETGID) unless they are
/// the ones that this process has already; without it the helper is refused (<see cref="HelperOutcome.SetupFailed"/>, -EPERM). The program
/// is executed, and its working directory entered, with these rights, and with no capability that the exec itself does not give.
/// </para>
/// <para>
/// How: a child takes the ids of the thread that makes it, so a thread of its own puts them on for good, starts the program and ends. Two
/// things follow from that. While the program is being started (some 0.2 ms), the user may send signals to this process, for one of its threads is
/// theirs; it cannot be traced. And this process cannot be dumped any more (its dumpable flag is cleared), as after every change of ids. Who
/// cannot have that lets <c>setpriv</c> be the helper.
/// </para>
/// </remarks>
[DebuggerDisplay("user {User}, group {Group}, {Groups.Count} more")]
public sealed class HelperCredentials
{
    /// <summary>Names them by number.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="group">The group's id.</param>
    /// <param name="groups">The ids of the supplementary groups; none unless given.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is 4294967295, which names nobody.</exception>
    public HelperCredentials(uint user, uint group, params IReadOnlyList<uint> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentOutOfRangeException.ThrowIfEqual(user, uint.MaxValue);
        ArgumentOutOfRangeException.ThrowIfEqual(group, uint.MaxValue);
        foreach (uint id in groups)
            ArgumentOutOfRangeException.ThrowIfEqual(id, uint.MaxValue, nameof(groups));
        User = user;
        Group = group;
        Groups = [.. groups];
    }

    /// <summary>The user's id.</summary>
    public uint User { get; }

    /// <summary>The group's id.</summary>
    public uint Group { get; }

    /// <summary>The ids of the supplementary groups.</summary>
    public IReadOnlyList<uint> Groups { get; }
}
