namespace Kworker.Nfsd.FileSystem;

/// <summary>The part of the attributes before an operation that clients compare: <c>wcc_attr</c> of RFC 1813 section 2.6.</summary>
/// <param name="Size">Size in bytes.</param>
/// <param name="ModifyTime">Time of the last change to the content.</param>
/// <param name="ChangeTime">Time of the last change to content or attributes.</param>
/// <param name="Change"><see cref="NfsAttributes.Change"/>.</param>
public readonly record struct NfsBefore(ulong Size, NfsTime ModifyTime, NfsTime ChangeTime, ulong Change = 0)
{
    /// <summary>The compared part of <paramref name="attributes"/>.</summary>
    public static NfsBefore Of(in NfsAttributes attributes) => new(attributes.Size, attributes.ModifyTime, attributes.ChangeTime, attributes.Change);
}

/// <summary>A file's attributes before and after an operation that changes it: <c>wcc_data</c> of RFC 1813 section 2.6.</summary>
/// <remarks>
/// Either may be null: then the client asks for itself. <see cref="Before"/> may only be given when nothing can have come between
/// it, the operation and <see cref="After"/>: a client that finds in it what it has cached takes its cache for current.
/// </remarks>
/// <param name="Before">Before the operation.</param>
/// <param name="After">After it, or after its failure.</param>
public readonly record struct NfsChange(NfsBefore? Before, NfsAttributes? After);
