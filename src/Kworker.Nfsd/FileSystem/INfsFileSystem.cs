namespace Kworker.Nfsd.FileSystem;

/// <summary>What a program implements to serve anything over NFS: the operations of RFC 1813 section 3.3 on handles and byte names.</summary>
/// <remarks>
/// <para><b>Calls.</b> Any number of threads call at the same time. Each call is a work item on the server's own workers and may
/// block. What blocks out of the library's sight (a system call, a foreign lock, a task's result) belongs in a
/// <c>using var _ = Worker.Blocking();</c>, which lets another worker go on meanwhile. That is also how an asynchronous back end
/// fits: start the operation, and wait for it with <c>Completion.Wait</c> or inside that scope. A waiting call costs a thread, not
/// a delay to others.</para>
/// <para><b>Errors.</b> Whatever a client can cause is returned as an <see cref="NfsStatus"/>. An exception is a fault of the file
/// system: the protocol layer reports it and answers <see cref="NfsStatus.ServerFault"/>. On an error, what the out parameters can
/// still say is welcome (RFC 1813 sends attributes with errors, too); otherwise they are default.</para>
/// <para><b>Callers.</b> Credentials come squashed. Whether they suffice is for the file system to say, in every operation. That an
/// export is read-only, or not for this client, is checked before it is called.</para>
/// <para><b>Names</b> are bytes in no known encoding: not empty, no NUL and no slash in them; never "." or ".." where an entry would be
/// made or removed. The protocol layer sees to that (<see cref="NfsName"/>).
/// Length is the file system's to judge (<see cref="NfsStatus.NameTooLong"/>).</para>
/// <para><b>Handles</b> must find the same file after a restart of the server, whatever it was renamed to meanwhile, and never
/// another one: a file system that uses numbers again adds a generation. See <see cref="NfsHandle"/> for who adds what.</para>
/// <para><b>Attributes</b> before and after may be left out (null), the client then asks: see <see cref="NfsChange"/> for when
/// "before" may be given.</para>
/// <para><b>Durability.</b> Everything but an unstable <see cref="Write"/> is on stable storage when the call returns (RFC 1813 section
/// 4.8). <b>The write epoch</b> is any number that stays the same while no data that was accepted as unstable has been lost, and never comes back
/// once changed; the server makes its write verifier of it and of its own start. After a failed sync it must
/// change, because data of other clients may have been lost with it. A file system that cannot lose anything returns 0 always.</para>
/// </remarks>
public interface INfsFileSystem
{
    /// <summary>The handle of the directory that clients mount. Asked as the server itself.</summary>
    NfsStatus GetRoot(out NfsHandle root);

    /// <summary>GETATTR, section 3.3.1.</summary>
    NfsStatus GetAttributes(NfsCredentials caller, in NfsHandle file, out NfsAttributes attributes);

    /// <summary>SETATTR, section 3.3.2: all of <paramref name="changes"/> or, if it can be helped, none.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">The file.</param>
    /// <param name="changes">What to set.</param>
    /// <param name="guard">If given, the ctime that the file must have, else <see cref="NfsStatus.NotSync"/>.</param>
    /// <param name="change">The file before and after.</param>
    NfsStatus SetAttributes(NfsCredentials caller, in NfsHandle file, in NfsAttributeChanges changes, NfsTime? guard, out NfsChange change);

    /// <summary>LOOKUP, section 3.3.3. "." and ".." may be asked for; ".." of the root is the root.</summary>
    NfsStatus Lookup(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsFile file, out NfsAttributes? directoryAttributes);

    /// <summary>ACCESS, section 3.3.4: which of <paramref name="requested"/> the caller has.</summary>
    /// <remarks>By default all that makes sense for the type of the file: a client only asks to know sooner what an operation would refuse.</remarks>
    NfsStatus Access(
        NfsCredentials caller, in NfsHandle file, NfsAccess requested, out NfsAccess granted, out NfsAttributes? attributes)
    {
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        NfsAccess senseless = found.Type == NfsFileType.Directory ? NfsAccess.Execute : NfsAccess.Lookup | NfsAccess.Delete;
        granted = status == NfsStatus.Ok ? requested & ~senseless : NfsAccess.None;
        return status;
    }

    /// <summary>READLINK, section 3.3.5.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="link">A symbolic link, else <see cref="NfsStatus.Inval"/>.</param>
    /// <param name="buffer">Takes the target's bytes; 4096 bytes of room are enough on Linux.</param>
    /// <param name="length">How many of them there are. A target that does not fit is <see cref="NfsStatus.ServerFault"/>.</param>
    /// <param name="attributes">The link's attributes.</param>
    /// <remarks>By default there are no links.</remarks>
    NfsStatus ReadLink(NfsCredentials caller, in NfsHandle link, Span<byte> buffer, out int length, out NfsAttributes? attributes)
    {
        length = 0;
        attributes = null;
        return NfsStatus.Inval;
    }

    /// <summary>READ, section 3.3.6: fills <paramref name="buffer"/> as far as the file reaches.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">A regular file, else <see cref="NfsStatus.Inval"/> (<see cref="NfsStatus.IsDir"/> for a directory).</param>
    /// <param name="offset">First byte.</param>
    /// <param name="buffer">Takes the data.</param>
    /// <param name="count">Bytes read.</param>
    /// <param name="isEnd">Whether the last byte read is the file's last, or lies past it.</param>
    /// <param name="attributes">The file's attributes.</param>
    NfsStatus Read(
        NfsCredentials caller, in NfsHandle file, ulong offset, Span<byte> buffer, out int count, out bool isEnd, out NfsAttributes? attributes);

    /// <summary>WRITE, section 3.3.7.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">A regular file, else <see cref="NfsStatus.Inval"/>.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="data">The data.</param>
    /// <param name="stability">How durable it must be when the call returns.</param>
    /// <param name="written">How much was written, how durable it is, and the write epoch from before.</param>
    /// <param name="change">The file before and after.</param>
    NfsStatus Write(
        NfsCredentials caller, in NfsHandle file, ulong offset, ReadOnlySpan<byte> data, NfsStability stability,
        out NfsWritten written, out NfsChange change);

    /// <summary>COMMIT, section 3.3.21: makes unstable writes durable.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">A regular file.</param>
    /// <param name="offset">First byte that must be durable.</param>
    /// <param name="count">How many; 0 for all up to the end.</param>
    /// <param name="epoch">The write epoch, read <em>after</em> everything was synced.</param>
    /// <param name="change">The file before and after.</param>
    /// <remarks>By default nothing can be lost, so there is nothing to do.</remarks>
    NfsStatus Commit(NfsCredentials caller, in NfsHandle file, ulong offset, uint count, out ulong epoch, out NfsChange change)
    {
        epoch = 0;
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes attributes);
        change = new NfsChange(null, status == NfsStatus.Ok ? attributes : null);
        return status;
    }

    /// <summary>CREATE, section 3.3.8: a regular file. An exclusive one must be known again after a restart.</summary>
    NfsStatus Create(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsCreateHow how, out NfsFile file, out NfsChange directoryChange);

    /// <summary>MKDIR, section 3.3.9.</summary>
    NfsStatus MakeDirectory(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsAttributeChanges attributes, out NfsFile file, out NfsChange directoryChange);

    /// <summary>SYMLINK, section 3.3.10. <paramref name="target"/> is the client's affair: it is kept as it is and never followed here.</summary>
    /// <remarks>Not supported by default.</remarks>
    NfsStatus MakeSymbolicLink(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in NfsAttributeChanges attributes,
        out NfsFile file, out NfsChange directoryChange)
    {
        file = default;
        directoryChange = default;
        return NfsStatus.NotSupp;
    }

    /// <summary>MKNOD, section 3.3.11. Types that are not special files are <see cref="NfsStatus.BadType"/>.</summary>
    /// <remarks>Not supported by default.</remarks>
    NfsStatus MakeSpecial(
        NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, in NfsSpecialFile special, out NfsFile file, out NfsChange directoryChange)
    {
        file = default;
        directoryChange = default;
        return NfsStatus.NotSupp;
    }

    /// <summary>REMOVE, section 3.3.12: anything but a directory.</summary>
    NfsStatus Remove(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange);

    /// <summary>RMDIR, section 3.3.13.</summary>
    NfsStatus RemoveDirectory(NfsCredentials caller, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsChange directoryChange);

    /// <summary>RENAME, section 3.3.14: atomic; replaces what it may replace.</summary>
    NfsStatus Rename(
        NfsCredentials caller, in NfsHandle fromDirectory, ReadOnlySpan<byte> fromName, in NfsHandle toDirectory, ReadOnlySpan<byte> toName,
        out NfsChange fromChange, out NfsChange toChange);

    /// <summary>LINK, section 3.3.15.</summary>
    /// <remarks>Not supported by default.</remarks>
    NfsStatus Link(
        NfsCredentials caller, in NfsHandle file, in NfsHandle directory, ReadOnlySpan<byte> name, out NfsAttributes? attributes, out NfsChange directoryChange)
    {
        attributes = null;
        directoryChange = default;
        return NfsStatus.NotSupp;
    }

    /// <summary>READDIR and READDIRPLUS, sections 3.3.16 and 3.3.17: shows entries to <paramref name="visitor"/> until it takes no more.</summary>
    /// <remarks>
    /// An entry that stays in the directory for the whole of a listing is shown exactly once, whatever else comes and goes between the
    /// calls. "." and ".." should be shown (clients list what they get); ".." of the root has the root's own file id.
    /// </remarks>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="cookie">0 to start, else the cookie of the last entry taken. One that means nothing is <see cref="NfsStatus.BadCookie"/>.</param>
    /// <param name="verifier">The verifier that came with the cookie.</param>
    /// <param name="withFiles">Whether entries are to carry handle and attributes (READDIRPLUS).</param>
    /// <param name="visitor">Takes the entries.</param>
    /// <param name="read">How it ended.</param>
    NfsStatus ReadDirectory(
        NfsCredentials caller, in NfsHandle directory, ulong cookie, ulong verifier, bool withFiles, INfsDirectoryVisitor visitor, out NfsDirectoryRead read);

    /// <summary>FSSTAT, section 3.3.18. <paramref name="file"/> may be any file of the file system.</summary>
    /// <remarks>By default a terabyte, empty.</remarks>
    NfsStatus GetSpace(NfsCredentials caller, in NfsHandle file, out NfsSpace space, out NfsAttributes? attributes)
    {
        const ulong bytes = 1ul << 40, files = 1ul << 30;
        space = new NfsSpace
        {
            TotalBytes = bytes,
            FreeBytes = bytes,
            AvailableBytes = bytes,
            TotalFiles = files,
            FreeFiles = files,
            AvailableFiles = files,
        };
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        return status;
    }

    /// <summary>FSINFO, section 3.3.19.</summary>
    /// <remarks>By default files of any size and times that can be set, no links.</remarks>
    NfsStatus GetCapabilities(NfsCredentials caller, in NfsHandle file, out NfsCapabilities capabilities, out NfsAttributes? attributes)
    {
        capabilities = new NfsCapabilities { MaxFileSize = long.MaxValue, TimeGranularity = new NfsTime(0, 100), IsHomogeneous = true, CanSetTime = true };
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        return status;
    }

    /// <summary>PATHCONF, section 3.3.20.</summary>
    /// <remarks>By default names of 255 bytes, as they are, and no hard links.</remarks>
    NfsStatus GetPathLimits(NfsCredentials caller, in NfsHandle file, out NfsPathLimits limits, out NfsAttributes? attributes)
    {
        limits = new NfsPathLimits { MaxLinks = 1, MaxNameLength = 255, NoTruncation = true, ChownRestricted = true, CasePreserving = true };
        NfsStatus status = GetAttributes(caller, file, out NfsAttributes found);
        attributes = status == NfsStatus.Ok ? found : null;
        return status;
    }

    /// <summary>Makes everything accepted so far durable. Called once, when the server has drained.</summary>
    NfsStatus Sync() => NfsStatus.Ok;
}
