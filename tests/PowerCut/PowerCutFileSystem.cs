using Kworker.Nfsd.FileSystem;

namespace Kworker.PowerCut;

/// <summary>Passes everything on to another file system, and can take back what was written to it and not synced, as a power cut would. Thread-safe.</summary>
/// <remarks>
/// <para>Unstable writes are lost unless a COMMIT that covers their range came after them; stable writes, committed data, sizes that were set and all changes of names
/// and attributes stay. That is exact to the byte, and so harder than a disk: a sync of one range saves no other.</para>
/// <para>After a cut the write epoch is another one: to clients the server has restarted.</para>
/// </remarks>
public sealed class PowerCutFileSystem : INfsFileSystem
{
    private readonly INfsFileSystem _inner;

    // One change at a time: only so is it exact which bytes a sync has covered, and the power fails between operations. It guards the rest.
    private readonly Lock _changing = new();
    private readonly Dictionary<NfsHandle, UnsyncedData> _unsynced = [];
    private readonly List<AwaitedCut> _awaited = [];
    private ulong _cuts;

    /// <summary>Wraps <paramref name="inner"/>, which nobody else may write to.</summary>
    public PowerCutFileSystem(INfsFileSystem inner) => _inner = inner;

    /// <summary>How many bytes a cut would take back now.</summary>
    public ulong UnsyncedBytes
    {
        get
        {
            lock (_changing)
                return _unsynced.Values.Aggregate(0ul, (sum, data) => data.Stretches.Aggregate(sum, (part, stretch) => part + (stretch.End - stretch.Start)));
        }
    }

    /// <summary>Cuts the power as soon as that takes back <paramref name="bytes"/> or more: at once, or right after the write that makes it so many, before any COMMIT.</summary>
    /// <returns>How many bytes were lost.</returns>
    /// <exception cref="IOException">The file system underneath would not take something back.</exception>
    public async ValueTask<ulong> CutWhenUnsyncedAsync(ulong bytes, CancellationToken cancellationToken = default)
    {
        var awaited = new AwaitedCut(bytes);
        lock (_changing)
        {
            if (UnsyncedBytes >= bytes)
                return Cut();
            _awaited.Add(awaited);
        }
        using CancellationTokenRegistration registration = cancellationToken.Register(() =>
        {
            lock (_changing)
                _awaited.Remove(awaited);
            awaited.Lost.TrySetCanceled(cancellationToken);
        });
        return await awaited.Lost.Task;
    }

    /// <summary>Cuts the power: waits for running operations, then takes back all that is not synced.</summary>
    /// <returns>How many bytes were lost.</returns>
    /// <exception cref="IOException">The file system underneath would not take something back.</exception>
    public ulong Cut()
    {
        lock (_changing)
        {
            ulong lost = UnsyncedBytes;
            _cuts++;
            foreach ((NfsHandle file, UnsyncedData data) in _unsynced)
                TakeBack(file, data);
            _unsynced.Clear();
            return lost;
        }
    }

    private void TakeBack(in NfsHandle file, UnsyncedData data)
    {
        NfsStatus status = _inner.GetAttributes(NfsCredentials.Root, file, out NfsAttributes now);
        if (status == NfsStatus.Stale)
            return; // Removed meanwhile, and that is durable.
        foreach (UnsyncedData.Stretch stretch in data.Stretches)
        {
            ulong end = Math.Min(stretch.End, data.DurableSize);
            const int step = 1 << 20;
            for (ulong at = stretch.Start; at < end && status == NfsStatus.Ok;)
            {
                int length = (int)Math.Min(step, end - at);
                byte[] old = stretch.Durable is null ? new byte[length] : stretch.Durable.AsSpan((int)(at - stretch.Start), length).ToArray();
                status = _inner.Write(NfsCredentials.Root, file, at, old, NfsStability.Unstable, out NfsWritten written, out _);
                at += (ulong)written.Count;
            }
        }
        if (status == NfsStatus.Ok && now.Size != data.DurableSize)
            status = _inner.SetAttributes(NfsCredentials.Root, file, new NfsAttributeChanges { Size = data.DurableSize }, null, out _);
        if (status != NfsStatus.Ok)
            throw new IOException($"File {file} cannot be brought back to its durable content: {status}.");
    }

    private ulong EpochOf(ulong inner) => inner + (_cuts << 32);

    /// <inheritdoc/>
    public NfsStatus Write(
        NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability, out NfsWritten written, out NfsChange change)
    {
        NfsStatus status;
        lock (_changing)
        {
            if (stability == NfsStability.Unstable && !data.IsEmpty)
                NoteOverwrite(file, offset, (ulong)data.Length);
            status = _inner.Write(caller, file, offset, data, stability, out written, out change);
            written = written with { Epoch = EpochOf(written.Epoch), Committed = stability };
            if (status == NfsStatus.Ok && stability != NfsStability.Unstable)
                NoteSync(file, offset, offset + (ulong)written.Count);
            // What is answered is of the epoch that has just ended: the client must find that out.
            CutIfAwaited();
        }
        return status;
    }

    private void CutIfAwaited()
    {
        if (_awaited.Count == 0)
            return;
        ulong bytes = UnsyncedBytes;
        AwaitedCut[] due = [.. _awaited.Where(awaited => bytes >= awaited.Bytes)];
        if (due.Length == 0)
            return;
        _awaited.RemoveAll(awaited => bytes >= awaited.Bytes);
        try
        {
            ulong lost = Cut();
            foreach (AwaitedCut awaited in due)
                awaited.Lost.TrySetResult(lost);
        }
        catch (IOException exception)
        {
            foreach (AwaitedCut awaited in due)
                awaited.Lost.TrySetException(exception);
        }
    }

    /// <inheritdoc/>
    public NfsStatus Commit(NfsCredentials caller, in NfsHandle file, ulong offset, uint count, out ulong epoch, out NfsChange change)
    {
        lock (_changing)
        {
            NfsStatus status = _inner.Commit(caller, file, offset, count, out epoch, out change);
            epoch = EpochOf(epoch);
            if (status == NfsStatus.Ok)
                NoteSync(file, offset, count == 0 ? ulong.MaxValue : offset + count);
            return status;
        }
    }

    /// <inheritdoc/>
    public NfsStatus SetAttributes(NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change)
    {
        lock (_changing)
        {
            NfsStatus status = _inner.SetAttributes(caller, file, changes, guard, out change);
            if (status == NfsStatus.Ok && changes.Size is { } size)
                NoteSize(file, size);
            return status;
        }
    }

    /// <inheritdoc/>
    public NfsStatus Create(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange)
    {
        lock (_changing)
        {
            NfsStatus status = _inner.Create(caller, directory, name, how, out file, out directoryChange);
            if (status == NfsStatus.Ok && how.Mode != NfsCreateMode.Exclusive && how.Attributes.Size is { } size)
                NoteSize(file.Handle, size);
            return status;
        }
    }

    private void NoteOverwrite(NfsHandle file, ulong offset, ulong length)
    {
        if (_inner.GetAttributes(NfsCredentials.Root, file, out NfsAttributes attributes) != NfsStatus.Ok)
            return; // The write will say what is wrong.
        if (!_unsynced.TryGetValue(file, out UnsyncedData? data))
            _unsynced[file] = data = new UnsyncedData(attributes.Size);
        data.Overwrite(offset, offset + length, (start, end) => ReadDurable(file, attributes.Size, start, end));
    }

    private byte[]? ReadDurable(NfsHandle file, ulong size, ulong start, ulong end)
    {
        if (start >= size)
            return null;
        byte[] durable = new byte[end - start];
        for (int at = 0; at < durable.Length;)
        {
            NfsStatus status = _inner.Read(NfsCredentials.Root, file, start + (ulong)at, durable.AsSpan(at), out int count, out bool isEnd, out _);
            if (status != NfsStatus.Ok)
                throw new IOException($"File {file} cannot be read before it is overwritten: {status}.");
            at += count;
            if (isEnd || count == 0)
                break; // The rest is zeros, or nothing.
        }
        return durable;
    }

    private void NoteSync(in NfsHandle file, ulong start, ulong end)
    {
        if (!_unsynced.TryGetValue(file, out UnsyncedData? data)
            || _inner.GetAttributes(NfsCredentials.Root, file, out NfsAttributes attributes) != NfsStatus.Ok)
        {
            return;
        }
        data.Sync(start, end, attributes.Size);
        if (data.Stretches.Count == 0)
            _unsynced.Remove(file);
    }

    private void NoteSize(in NfsHandle file, ulong size)
    {
        if (!_unsynced.TryGetValue(file, out UnsyncedData? data))
            return;
        data.SetSize(size);
        if (data.Stretches.Count == 0)
            _unsynced.Remove(file);
    }

    /// <inheritdoc/>
    public NfsStatus Sync()
    {
        lock (_changing)
        {
            NfsStatus status = _inner.Sync();
            if (status == NfsStatus.Ok)
                _unsynced.Clear();
            return status;
        }
    }

    // The rest changes no data: it is durable when it returns, and reads see what was written.

    /// <inheritdoc/>
    public NfsStatus GetRoot(out NfsHandle root) => _inner.GetRoot(out root);

    /// <inheritdoc/>
    public NfsStatus GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes) =>
        _inner.GetAttributes(caller, file, out attributes);

    /// <inheritdoc/>
    public NfsStatus Lookup(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes) =>
        _inner.Lookup(caller, directory, name, out file, out directoryAttributes);

    /// <inheritdoc/>
    public NfsStatus Access(
        NfsCredentials caller, in NfsHandle file, NfsAccess requested, out NfsAccess granted, out NfsAttributes? attributes) =>
        _inner.Access(caller, file, requested, out granted, out attributes);

    /// <inheritdoc/>
    public NfsStatus ReadLink(NfsCredentials caller, in NfsHandle link, Span<byte> buffer, out int length, out NfsAttributes? attributes) =>
        _inner.ReadLink(caller, link, buffer, out length, out attributes);

    /// <inheritdoc/>
    public NfsStatus Read(
        NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes) =>
        _inner.Read(caller, file, offset, buffer, out count, out isEnd, out attributes);

    /// <inheritdoc/>
    public NfsStatus MakeDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file, out NfsChange directoryChange) =>
        _inner.MakeDirectory(caller, directory, name, attributes, out file, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus MakeSymbolicLink(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in NfsAttributeChanges attributes,
        out NfsFile file, out NfsChange directoryChange) =>
        _inner.MakeSymbolicLink(caller, directory, name, target, attributes, out file, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus MakeSpecial(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsSpecialFile special, out NfsFile file, out NfsChange directoryChange) =>
        _inner.MakeSpecial(caller, directory, name, special, out file, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) =>
        _inner.Remove(caller, directory, name, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus RemoveDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange) =>
        _inner.RemoveDirectory(caller, directory, name, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus Rename(
        NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName,
        out NfsChange fromChange, out NfsChange toChange) =>
        _inner.Rename(caller, fromDirectory, fromName, toDirectory, toName, out fromChange, out toChange);

    /// <inheritdoc/>
    public NfsStatus Link(
        NfsCredentials caller, in NfsHandle file, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsAttributes? attributes, out NfsChange directoryChange) =>
        _inner.Link(caller, file, directory, name, out attributes, out directoryChange);

    /// <inheritdoc/>
    public NfsStatus ReadDirectory(
        NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor, out NfsDirectoryRead read) =>
        _inner.ReadDirectory(caller, directory, cookie, verifier, withFiles, visitor, out read);

    /// <inheritdoc/>
    public NfsStatus GetSpace(NfsCredentials caller, in NfsHandle file, out NfsSpace space, out NfsAttributes? attributes) =>
        _inner.GetSpace(caller, file, out space, out attributes);

    /// <inheritdoc/>
    public NfsStatus GetCapabilities(NfsCredentials caller, in NfsHandle file, out NfsCapabilities capabilities, out NfsAttributes? attributes) =>
        _inner.GetCapabilities(caller, file, out capabilities, out attributes);

    /// <inheritdoc/>
    public NfsStatus GetPathLimits(NfsCredentials caller, in NfsHandle file, out NfsPathLimits limits, out NfsAttributes? attributes) =>
        _inner.GetPathLimits(caller, file, out limits, out attributes);

    /// <summary>Somebody waits for a cut that takes back so many bytes.</summary>
    private sealed record AwaitedCut(ulong Bytes)
    {
        public TaskCompletionSource<ulong> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
