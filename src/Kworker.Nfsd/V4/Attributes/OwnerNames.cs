using System.Buffers.Text;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using System.Text;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>
/// The owner and owner_group attributes: RFC 7530 section 5.9. Given out as the number in digits, which Linux's client takes with AUTH_SYS; taken as digits, or as
/// <c>name@domain</c> of a user or group of this machine.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal static partial class OwnerNames
{
    private const int MaxLength = 1024;
    private const int MaxDigits = 10;

    private static readonly byte[] s_domain = Encoding.ASCII.GetBytes(DomainOfThisMachine());

    /// <summary>Writes an id.</summary>
    public static void Write(XdrWriter writer, uint id)
    {
        Span<byte> digits = stackalloc byte[MaxDigits];
        Utf8Formatter.TryFormat(id, digits, out int length);
        writer.WriteOpaque(digits[..length]);
    }

    /// <summary>Reads an owner's.</summary>
    /// <returns>OK; BADOWNER for one that we do not know; INVAL for none at all.</returns>
    public static Nfsstat4 ReadUser(ref XdrReader reader, out uint uid) => Find(reader.ReadOpaque(MaxLength), isGroup: false, out uid);

    /// <summary>As <see cref="ReadUser"/>, a group's.</summary>
    public static Nfsstat4 ReadGroup(ref XdrReader reader, out uint gid) => Find(reader.ReadOpaque(MaxLength), isGroup: true, out gid);

    /// <summary>The id of a user or group; errors as <see cref="ReadUser"/>.</summary>
    public static Nfsstat4 Find(ReadOnlySpan<byte> who, bool isGroup, out uint id)
    {
        id = 0;
        if (who.IsEmpty)
            return Nfsstat4.Inval;
        if (Utf8Parser.TryParse(who, out uint number, out int used) && used == who.Length && char.IsAsciiDigit((char)who[0]))
        {
            id = number;
            return number == uint.MaxValue ? Nfsstat4.BadOwner : Nfsstat4.Ok; // -1 is nobody's: to chown(2) it means "leave it".
        }
        int at = who.LastIndexOf((byte)'@');
        if (at <= 0 || !who[(at + 1)..].SequenceEqual(s_domain) || who.Contains((byte)0))
            return Nfsstat4.BadOwner;
        return TryFindName(who[..at], isGroup, out id) ? Nfsstat4.Ok : Nfsstat4.BadOwner;
    }

    private static unsafe bool TryFindName(ReadOnlySpan<byte> name, bool isGroup, out uint id)
    {
        id = 0;
        if (!OperatingSystem.IsLinux())
            return false;
        // passwd and group both begin with two pointers, the number behind them.
        const int recordSize = 256, numberAt = 16;
        Span<byte> terminated = stackalloc byte[MaxLength + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;
        var buffer = new byte[64 << 10]; // Setting an owner by name is rare; a group may have many members.
        byte* record = stackalloc byte[recordSize];
        nint found;
        using var blocking = Worker.Blocking(); // The name service may be far away.
        fixed (byte* start = terminated, text = buffer)
        {
            int error = isGroup
                ? GetGrNam(start, record, text, (nuint)buffer.Length, &found)
                : GetPwNam(start, record, text, (nuint)buffer.Length, &found);
            if (error != 0 || found == 0)
                return false;
        }
        id = *(uint*)(record + numberAt);
        return true;
    }

    /// <summary>What rpc.idmapd takes for its domain when it is not told another: that of the machine's name.</summary>
    private static string DomainOfThisMachine()
    {
        string domain = IPGlobalProperties.GetIPGlobalProperties().DomainName;
        return domain.Length > 0 && domain != "(none)" ? domain : "localdomain";
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r")]
    private static unsafe partial int GetPwNam(byte* name, byte* record, byte* buffer, nuint size, nint* found);

    [LibraryImport("libc", EntryPoint = "getgrnam_r")]
    private static unsafe partial int GetGrNam(byte* name, byte* record, byte* buffer, nuint size, nint* found);
}
