using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>A directory whose every operation comes to what the test says: a status, or an exception.</summary>
internal sealed class ScriptedFileSystem : INfsFileSystem
{
    public NfsStatus Status { get; set; }

    public Exception? Fault { get; set; }

    /// <summary>Whether attributes can be had.</summary>
    public bool HasAttributes { get; set; } = true;

    public ulong Epoch { get; set; }

    public int Syncs { get; private set; }

    /// <summary>Runs in every READ.</summary>
    public Action? OnRead { get; set; }

    private NfsStatus Result => Fault is null ? Status : throw Fault;

    public NfsStatus GetRoot(out NfsHandle root)
    {
        root = NfsHandle.FromUInt64(1);
        return NfsStatus.Ok;
    }

    public NfsStatus GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes)
    {
        attributes = new NfsAttributes { Type = NfsFileType.Directory };
        return HasAttributes ? NfsStatus.Ok : NfsStatus.Stale;
    }

    public NfsStatus SetAttributes(NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change)
    {
        change = default;
        return Result;
    }

    public NfsStatus Lookup(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes)
    {
        (file, directoryAttributes) = (new NfsFile(NfsHandle.FromUInt64(2), null), null);
        return Result;
    }

    public NfsStatus Access(NfsCredentials caller, in NfsHandle file, NfsAccess requested, out NfsAccess granted, out NfsAttributes? attributes)
    {
        (granted, attributes) = ((NfsAccess)0x3f, null);
        return Result;
    }

    public NfsStatus ReadLink(NfsCredentials caller, in NfsHandle link, Span<byte> buffer, out int length, out NfsAttributes? attributes)
    {
        (length, attributes) = (3, null);
        "abc"u8.CopyTo(buffer);
        return Result;
    }

    public NfsStatus Read(
        NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes)
    {
        OnRead?.Invoke();
        (count, isEnd, attributes) = (Math.Min(5, buffer.Length), true, null);
        "hello"u8[..count].CopyTo(buffer);
        return Result;
    }

    public NfsStatus Write(
        NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability, out NfsWritten written, out NfsChange change)
    {
        (written, change) = (new NfsWritten(data.Length, NfsStability.Unstable, Epoch), default);
        return Result;
    }

    public NfsStatus Commit(NfsCredentials caller, in NfsHandle file, ulong offset, uint count, out ulong epoch, out NfsChange change)
    {
        (epoch, change) = (Epoch, default);
        return Result;
    }

    public NfsStatus Create(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange) =>
        Make(out file, out directoryChange);

    public NfsStatus MakeDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file, out NfsChange directoryChange) =>
        Make(out file, out directoryChange);

    public NfsStatus MakeSymbolicLink(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in NfsAttributeChanges attributes,
        out NfsFile file, out NfsChange directoryChange) => Make(out file, out directoryChange);

    public NfsStatus MakeSpecial(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsSpecialFile special, out NfsFile file, out NfsChange directoryChange) =>
        Make(out file, out directoryChange);

    public NfsStatus Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange)
    {
        directoryChange = default;
        return Result;
    }

    public NfsStatus RemoveDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange)
    {
        directoryChange = default;
        return Result;
    }

    public NfsStatus Rename(
        NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName,
        out NfsChange fromChange, out NfsChange toChange)
    {
        (fromChange, toChange) = (default, default);
        return Result;
    }

    public NfsStatus Link(
        NfsCredentials caller, in NfsHandle file, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsAttributes? attributes, out NfsChange directoryChange)
    {
        (attributes, directoryChange) = (null, default);
        return Result;
    }

    public NfsStatus ReadDirectory(
        NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor, out NfsDirectoryRead read)
    {
        read = default;
        NfsStatus status = Result;
        bool taken = visitor.Visit(new NfsDirectoryEntry
        {
            Name = "entry"u8,
            FileId = 5,
            Cookie = 6,
            File = withFiles ? new NfsFile(NfsHandle.FromUInt64(5), null) : null,
        });
        read = new NfsDirectoryRead(7, taken, null);
        return status;
    }

    public NfsStatus GetSpace(NfsCredentials caller, in NfsHandle file, out NfsSpace space, out NfsAttributes? attributes)
    {
        (space, attributes) = (default, null);
        return Result;
    }

    public NfsStatus GetCapabilities(NfsCredentials caller, in NfsHandle file, out NfsCapabilities capabilities, out NfsAttributes? attributes)
    {
        (capabilities, attributes) = (default, null);
        return Result;
    }

    public NfsStatus GetPathLimits(NfsCredentials caller, in NfsHandle file, out NfsPathLimits limits, out NfsAttributes? attributes)
    {
        (limits, attributes) = (default, null);
        return Result;
    }

    public NfsStatus Sync()
    {
        Syncs++;
        return Result;
    }

    private NfsStatus Make(out NfsFile file, out NfsChange change)
    {
        (file, change) = (new NfsFile(NfsHandle.FromUInt64(2), null), default);
        return Result;
    }
}
