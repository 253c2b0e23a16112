using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

// GETXATTR, SETXATTR, LISTXATTRS, REMOVEXATTR.
public sealed partial class LocalFileSystem : INfsExtendedAttributes
{
    private const int LongestAttributeName = 255;
    private const int LongestAttributeValue = 64 << 10;

    /// <inheritdoc/>
    public unsafe NfsStatus GetExtendedAttribute(NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, Span<byte> buffer, out int length)
    {
        length = 0;
        Span<byte> full = stackalloc byte[LongestAttributeName + 1];
        NfsStatus status = SetAttributeName(name, full);
        if (status != NfsStatus.Ok)
            return status;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        status = OpenForAttributes(call, caller, file, Libc.R_OK, out Opened opened, out _);
        using (opened)
        {
            if (status != NfsStatus.Ok)
                return status;
            var path = new ProcPath(opened.Fd);
            fixed (byte* start = &path.Start, wanted = full, value = buffer)
            {
                nint result = Libc.GetXAttr(start, wanted, value, buffer.Length);
                if (result < 0)
                    return AttributeError();
                length = (int)result;
                return NfsStatus.Ok;
            }
        }
    }

    /// <inheritdoc/>
    public unsafe NfsStatus SetExtendedAttribute(
        NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, NfsExtendedAttributeMode how, out NfsChange change)
    {
        change = default;
        Span<byte> full = stackalloc byte[LongestAttributeName + 1];
        NfsStatus status = SetAttributeName(name, full);
        if (status == NfsStatus.Ok && value.Length > LongestAttributeValue)
            status = NfsStatus.FBig;
        if (status != NfsStatus.Ok)
            return status;
        fixed (byte* wanted = full, bytes = value)
            return ChangeAttribute(caller, file, wanted, bytes, value.Length, how, out change);
    }

    /// <inheritdoc/>
    public unsafe NfsStatus RemoveExtendedAttribute(NfsCredentials caller, in NfsHandle file, ReadOnlySpan<byte> name, out NfsChange change)
    {
        change = default;
        Span<byte> full = stackalloc byte[LongestAttributeName + 1];
        NfsStatus status = SetAttributeName(name, full);
        if (status != NfsStatus.Ok)
            return status;
        fixed (byte* wanted = full)
            return ChangeAttribute(caller, file, wanted, null, -1, default, out change);
    }

    /// <summary>Sets an attribute, or removes it if <paramref name="length"/> is negative.</summary>
    private unsafe NfsStatus ChangeAttribute(
        NfsCredentials caller, in NfsHandle file, byte* name, byte* value, int length, NfsExtendedAttributeMode how, out NfsChange change)
    {
        change = default;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenForAttributes(call, caller, file, Libc.W_OK, out Opened opened, out StatX stat);
        using (opened)
        {
            if (status != NfsStatus.Ok)
                return status;
            lock (ChangingOf(stat))
            {
                if (!LocalFile.TryStat(opened.Fd, out stat))
                    return ErrnoStatus.Last();
                ulong before = _changes.Begin(stat);
                var path = new ProcPath(opened.Fd);
                int result;
                fixed (byte* start = &path.Start)
                    result = length < 0 ? Libc.RemoveXAttr(start, name) : Libc.SetXAttr(start, name, value, length, (int)how);
                status = result == 0 ? NfsStatus.Ok : AttributeError();
                call.ActAsServer();
                change = EndChange(opened.Fd, stat, before, isChanged: result == 0);
            }
            return status == NfsStatus.Ok ? SyncFile(opened, stat) : status;
        }
    }

    /// <inheritdoc/>
    public unsafe NfsStatus ListExtendedAttributes(NfsCredentials caller, in NfsHandle file, Span<byte> buffer, out int length)
    {
        length = 0;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenForAttributes(call, caller, file, Libc.R_OK, out Opened opened, out _);
        using (opened)
        {
            if (status != NfsStatus.Ok)
                return status;
            var path = new ProcPath(opened.Fd);
            nint result;
            fixed (byte* start = &path.Start, list = buffer)
                result = Libc.ListXAttr(start, list, buffer.Length);
            if (result < 0)
                return AttributeError();
            length = KeepUserNames(buffer[..(int)result]);
            return NfsStatus.Ok;
        }
    }

    /// <summary>Takes the prefix from users' names, and drops all others: they are the system's.</summary>
    private static int KeepUserNames(Span<byte> names)
    {
        int kept = 0;
        for (int at = 0; at < names.Length;)
        {
            int size = names[at..].IndexOf((byte)0) + 1;
            Span<byte> name = names.Slice(at, size);
            at += size;
            if (!name.StartsWith("user."u8))
                continue;
            name["user.".Length..].CopyTo(names[kept..]);
            kept += size - "user.".Length;
        }
        return kept;
    }

    private static NfsStatus SetAttributeName(ReadOnlySpan<byte> name, Span<byte> full)
    {
        int prefix = "user.".Length;
        if (name.IsEmpty || name.Contains((byte)0))
            return NfsStatus.Inval;
        if (prefix + name.Length > LongestAttributeName)
            return NfsStatus.NameTooLong;
        "user."u8.CopyTo(full);
        name.CopyTo(full[prefix..]);
        full[prefix + name.Length] = 0;
        return NfsStatus.Ok;
    }

    /// <summary>Opens a file, and acts as the caller if it has the right on it.</summary>
    private NfsStatus OpenForAttributes(FileSystemCall call, NfsCredentials caller, in NfsHandle file, int right, out Opened opened, out StatX stat)
    {
        NfsStatus status = OpenPlace(file, out opened, out stat);
        if (status == NfsStatus.Ok)
            status = call.ActAs(caller);
        if (status == NfsStatus.Ok && !_server.CanImpersonate && !ModeBits.Allows(caller, stat, right))
            status = NfsStatus.Acces;
        return status;
    }

    private static NfsStatus AttributeError() => Marshal.GetLastPInvokeError() switch
    {
        ErrnoStatus.ENODATA => NfsStatus.NoEnt,
        ErrnoStatus.ERANGE => NfsStatus.TooSmall,
        ErrnoStatus.E2BIG => NfsStatus.FBig,
        int errno => ErrnoStatus.Of(errno),
    };
}
