namespace Kworker.Nfsd.FileSystem;

/// <summary>What a file system implements besides <see cref="INfsFileSystem"/> if its files have extended attributes of users: RFC 8276, over NFSv4.2.</summary>
/// <remarks>Names come without the system's prefix ("user." on Linux). Callers, errors and threads as for <see cref="INfsFileSystem"/>.</remarks>
public interface INfsExtendedAttributes
{
    /// <summary>GETXATTR, section 8.4.1.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">The file.</param>
    /// <param name="name">The attribute's name; <see cref="NfsStatus.NoEnt"/> if it has none of that name.</param>
    /// <param name="buffer">Takes the value; one that does not fit is <see cref="NfsStatus.TooSmall"/>.</param>
    /// <param name="length">Bytes of the value.</param>
    NfsStatus GetExtendedAttribute(NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, Span<byte> buffer, out int length);

    /// <summary>SETXATTR, section 8.4.2.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">The file.</param>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value; one that is too long for the file system is <see cref="NfsStatus.FBig"/>.</param>
    /// <param name="how">Whether there may be, or must be, one of that name already: else <see cref="NfsStatus.Exist"/>, <see cref="NfsStatus.NoEnt"/>.</param>
    /// <param name="change">The file before and after.</param>
    NfsStatus SetExtendedAttribute(
        NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, NfsExtendedAttributeMode how, out NfsChange change);

    /// <summary>LISTXATTRS, section 8.4.3: all names, a NUL behind each.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">The file.</param>
    /// <param name="buffer">Takes them; 64 KiB of room are enough on Linux.</param>
    /// <param name="length">Bytes of them.</param>
    NfsStatus ListExtendedAttributes(NfsCredentials caller, in NfsHandle file, Span<byte> buffer, out int length);

    /// <summary>REMOVEXATTR, section 8.4.4. <see cref="NfsStatus.NoEnt"/> if there is none of that name.</summary>
    NfsStatus RemoveExtendedAttribute(NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, out NfsChange change);
}

/// <summary><c>setxattr_option4</c> of RFC 8276 section 8.4.2, by the same numbers.</summary>
public enum NfsExtendedAttributeMode
{
    /// <summary>Made, or given another value.</summary>
    Either = 0,

    /// <summary>Made; there must be none.</summary>
    Create = 1,

    /// <summary>Given another value; there must be one.</summary>
    Replace = 2,
}
