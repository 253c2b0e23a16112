namespace Kworker.Nfsd.FileSystem;

/// <summary>What a name in a request is for; it decides what is wrong with "." and "..".</summary>
public enum NfsNameUse
{
    /// <summary>LOOKUP: "." and ".." are fine.</summary>
    Lookup,
    /// <summary>CREATE, MKDIR, SYMLINK, MKNOD, LINK: "." and ".." exist.</summary>
    Create,
    /// <summary>REMOVE, RENAME: "." and ".." are invalid.</summary>
    Remove,
    /// <summary>RMDIR: "." is invalid, ".." exists.</summary>
    RemoveDirectory,
}

/// <summary>The rules that every file system's names keep: RFC 1813 section 3.2.</summary>
public static class NfsName
{
    /// <summary>Checks a name from the wire before a file system sees it.</summary>
    /// <returns><see cref="NfsStatus.Ok"/> or what to answer.</returns>
    public static NfsStatus Check(ReadOnlySpan<byte> name, NfsNameUse use)
    {
        // What no name can be is ACCES, whichever procedure: rules 1 and 5.
        if (name.IsEmpty || name.IndexOfAny((byte)'/', (byte)0) >= 0)
            return NfsStatus.Acces;
        if (!IsDotOrDotDot(name))
            return NfsStatus.Ok;
        return use switch
        {
            NfsNameUse.Lookup => NfsStatus.Ok,
            NfsNameUse.Create => NfsStatus.Exist,
            NfsNameUse.RemoveDirectory when name.Length == 2 => NfsStatus.Exist,
            _ => NfsStatus.Inval,
        };
    }

    /// <summary>Whether <paramref name="name"/> is "." or "..".</summary>
    public static bool IsDotOrDotDot(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);
}
