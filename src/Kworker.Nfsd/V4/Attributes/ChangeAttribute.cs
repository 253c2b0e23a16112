using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.V4;

/// <summary>The change attribute, RFC 7530 section 5.8.1.4: the file system's, or made of the time of the last change where it has none.</summary>
internal static class ChangeAttribute
{
    public static ulong Of(in NfsAttributes attributes) => attributes.Change != 0 ? attributes.Change : Of(attributes.ChangeTime);

    public static ulong Of(in NfsBefore before) => before.Change != 0 ? before.Change : Of(before.ChangeTime);

    /// <summary>A directory's before and after an operation; not atomic where the file system does not know what it was before.</summary>
    public static ChangeInfo4 InfoOf(in NfsChange change)
    {
        ulong after = change.After is { } now ? Of(now) : 0;
        return change.Before is { } before && change.After is not null ? new ChangeInfo4(true, Of(before), after) : new ChangeInfo4(false, after, after);
    }

    private static ulong Of(NfsTime time) => unchecked((ulong)time.Seconds * 1_000_000_000 + time.Nanoseconds);
}
