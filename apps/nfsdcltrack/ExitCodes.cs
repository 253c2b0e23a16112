namespace Kworker.Apps.Nfsdcltrack;

/// <summary>
/// What the program ends with: 0, a negative errno as an exit code holds it, or the code of SQLite's error. The caller tells 0 from the rest.
/// </summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>An option is not known, or help was asked for.</summary>
    public const int Usage = 1;

    /// <summary>The client is not in the record.</summary>
    public const int NotRecorded = 255;

    private const int Eacces = 13;
    private const int Einval = 22;
    private const int Erange = 34;
    private const int Enosys = 38;
    private const int Enobufs = 105;

    /// <summary>The database cannot be opened or made, at <c>init</c>.</summary>
    public static int CannotInit => OfErrno(Eacces);

    /// <summary>An argument is missing or malformed; or the database is of a later version.</summary>
    public static int Invalid => OfErrno(Einval);

    /// <summary>A time is out of range.</summary>
    public static int OutOfRange => OfErrno(Erange);

    /// <summary>The command is not known.</summary>
    public static int UnknownCommand => OfErrno(Enosys);

    /// <summary>A client's name is longer than NFS4_OPAQUE_LIMIT.</summary>
    public static int NameTooLong => OfErrno(Enobufs);

    /// <summary>A negative errno as the eight bits of an exit code.</summary>
    public static int OfErrno(int errno) => -errno & 0xff;
}
