namespace Kworker.Nfsd.FileSystem;

/// <summary>What CREATE does with a name that is taken: <c>createmode3</c> of RFC 1813 section 3.3.8, by the same numbers.</summary>
public enum NfsCreateMode
{
    /// <summary>An existing regular file is taken, and its size set if the request sets it.</summary>
    Unchecked = 0,
    /// <summary>An existing file is an error, <see cref="NfsStatus.Exist"/>.</summary>
    Guarded = 1,
    /// <summary>An existing file is an error, unless it was made by a CREATE with this very verifier.</summary>
    Exclusive = 2,
}

/// <summary>How a file is to be created: <c>createhow3</c> of RFC 1813 section 3.3.8.</summary>
/// <param name="Mode">What to do with a name that is taken.</param>
/// <param name="Attributes">Attributes to start with; none for <see cref="NfsCreateMode.Exclusive"/>.</param>
/// <param name="Verifier">The client's 8 bytes, for <see cref="NfsCreateMode.Exclusive"/>; they must be kept with the file, durably, until its times are set.</param>
public readonly record struct NfsCreateHow(NfsCreateMode Mode, NfsAttributeChanges Attributes, ulong Verifier = 0)
{
    /// <summary>Create, or take what is there.</summary>
    public static NfsCreateHow Unchecked(in NfsAttributeChanges attributes = default) => new(NfsCreateMode.Unchecked, attributes);

    /// <summary>Create, or fail if the name is taken.</summary>
    public static NfsCreateHow Guarded(in NfsAttributeChanges attributes = default) => new(NfsCreateMode.Guarded, attributes);

    /// <summary>Create once, however often the request arrives.</summary>
    public static NfsCreateHow Exclusive(ulong verifier) => new(NfsCreateMode.Exclusive, default, verifier);
}

/// <summary>A file other than regular, directory and link: <c>mknoddata3</c> of RFC 1813 section 3.3.11.</summary>
/// <param name="Type">A device, socket or pipe.</param>
/// <param name="Attributes">Attributes to start with.</param>
/// <param name="Major">Major number of a device.</param>
/// <param name="Minor">Minor number of a device.</param>
public readonly record struct NfsSpecialFile(NfsFileType Type, NfsAttributeChanges Attributes, uint Major = 0, uint Minor = 0);

/// <summary>A file that was found or made.</summary>
/// <param name="Handle">Its handle.</param>
/// <param name="Attributes">Its attributes; null if they could not be had.</param>
public readonly record struct NfsFile(NfsHandle Handle, NfsAttributes? Attributes);
