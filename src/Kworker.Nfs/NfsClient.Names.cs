namespace Kworker.Nfs;

// Making, removing and renaming.

public sealed partial class NfsClient
{
    /// <summary>Makes a directory.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask CreateDirectoryAsync(string path, int mode = 0b111_101_101, CancellationToken cancellationToken = default)
    {
        (Inode directory, string name) = await WalkToParentAsync("MKDIR", path, cancellationToken).ConfigureAwait(false);
        await MakeAsync(
            Nfs3Procedure.MkDir, directory, new MkDir3Args(Operand(directory, name), new NfsAttributeChanges { Mode = mode }.ToWire()), path, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Makes a symbolic link.</summary>
    /// <param name="path">The link.</param>
    /// <param name="target">What it points to.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask CreateSymbolicLinkAsync(string path, string target, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        (Inode directory, string name) = await WalkToParentAsync("SYMLINK", path, cancellationToken).ConfigureAwait(false);
        var data = new SymlinkData3(new NfsAttributeChanges { Mode = 0b111_111_111 }.ToWire(), WireName.Encode(target));
        await MakeAsync(Nfs3Procedure.SymLink, directory, new SymLink3Args(Operand(directory, name), data), path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a hard link.</summary>
    /// <param name="path">The file that is there.</param>
    /// <param name="link">Its further name.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask CreateHardLinkAsync(string path, string link, CancellationToken cancellationToken = default)
    {
        Inode file = await WalkAsync(path, followLink: false, cancellationToken).ConfigureAwait(false);
        (Inode directory, string name) = await WalkToParentAsync("LINK", link, cancellationToken).ConfigureAwait(false);
        long started = _mount.Time.GetTimestamp();
        Link3Res result = await _mount.Calls.TryAsync<Link3Args, Link3Res>(
            Nfs3Procedure.Link, new Link3Args(file.Handle, Operand(directory, name)), link, cancellationToken).ConfigureAwait(false);
        file.Update(result.FileAttributes.Attributes, started);
        Changed(directory, result.LinkDirWcc, started);
        Nfs3Calls.Check(Nfs3Procedure.Link, link, result.Status);
    }

    /// <summary>Removes an empty directory.</summary>
    /// <exception cref="NfsException">It is not empty, or the server refuses.</exception>
    public async ValueTask RemoveDirectoryAsync(string path, CancellationToken cancellationToken = default)
    {
        (Inode directory, string name) = await WalkToParentAsync("RMDIR", path, cancellationToken).ConfigureAwait(false);
        await RemoveNameAsync(Nfs3Procedure.RmDir, directory, name, path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes a file's name. A file that this client has open lives on under a name of the form <c>.nfsXXXX</c>, which the last close
    /// removes; other clients' opening is not known, and they get a stale handle.
    /// </summary>
    /// <exception cref="NfsException">There is none, it is a directory, or the server refuses.</exception>
    public async ValueTask RemoveAsync(string path, CancellationToken cancellationToken = default)
    {
        (Inode directory, string name) = await WalkToParentAsync("REMOVE", path, cancellationToken).ConfigureAwait(false);
        await directory.Gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Inode file = await LookupInsideAsync(directory, name, path, cancellationToken).ConfigureAwait(false);
            if (!file.IsToPutAside || !await PutAsideAsync(directory, name, file, path, cancellationToken).ConfigureAwait(false))
                await RemoveNameAsync(Nfs3Procedure.Remove, directory, name, path, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            directory.Gate.Leave();
        }
    }

    /// <summary>Renames; what has the new name already is replaced, and lives on like a removed file if this client has it open.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken = default)
    {
        (Inode fromDirectory, string fromName) = await WalkToParentAsync("RENAME", from, cancellationToken).ConfigureAwait(false);
        (Inode toDirectory, string toName) = await WalkToParentAsync("RENAME", to, cancellationToken).ConfigureAwait(false);
        await toDirectory.Gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Inode? replaced = await TryLookupInsideAsync(toDirectory, toName, to, cancellationToken).ConfigureAwait(false);
            // Only if the rename is of another file: between two names of one it does nothing.
            if (replaced is { IsToPutAside: true } && await TryLookupInsideAsync(fromDirectory, fromName, from, cancellationToken).ConfigureAwait(false) is { } moved
                && !ReferenceEquals(moved, replaced))
            {
                await PutAsideAsync(toDirectory, toName, replaced, to, cancellationToken).ConfigureAwait(false);
            }
            await RenameNameAsync(fromDirectory, fromName, toDirectory, toName, from, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            toDirectory.Gate.Leave();
        }
    }

    /// <summary>Removes the name under which a file was put aside: it has been closed for the last time.</summary>
    internal async ValueTask RemovePutAsideAsync(SillyName silly, CancellationToken cancellationToken)
    {
        await silly.Directory.Gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RemoveNameAsync(Nfs3Procedure.Remove, silly.Directory, silly.Name, silly.Path, cancellationToken).ConfigureAwait(false);
        }
        catch (NfsException exception)
        {
            // The file has been closed all the same, and that is what the caller asked for.
            NfsClientLog.SillyNotRemoved(_mount.Logger, silly.Path, exception.Message);
        }
        finally
        {
            silly.Directory.Gate.Leave();
        }
    }

    // nfs_sillyrename. Inside the directory's gate, as a removal: no lookup opens the file meanwhile. False if it was closed meanwhile.
    private async ValueTask<bool> PutAsideAsync(Inode directory, string name, Inode file, string path, CancellationToken cancellationToken)
    {
        Fattr3 attributes = await AttributesAsync(file, path, cancellationToken).ConfigureAwait(false);
        if (attributes.Type == Ftype3.Directory)
            return false;
        string silly;
        do
            silly = SillyName.Make(attributes.Fileid);
        while (await TryLookupInsideAsync(directory, silly, path, cancellationToken).ConfigureAwait(false) is not null);
        await RenameNameAsync(directory, name, directory, silly, path, cancellationToken).ConfigureAwait(false);
        string sillyPath = path[..^path.TrimEnd('/').Split('/')[^1].Length] + silly;
        if (!file.PutAside(new SillyName(directory, silly, sillyPath)))
            await RemoveNameAsync(Nfs3Procedure.Remove, directory, silly, sillyPath, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async ValueTask RenameNameAsync(
        Inode fromDirectory, string from, Inode toDirectory, string to, string path, CancellationToken cancellationToken)
    {
        long started = _mount.Time.GetTimestamp();
        Rename3Res result = await _mount.Calls.TryAsync<Rename3Args, Rename3Res>(
            Nfs3Procedure.Rename, new Rename3Args(Operand(fromDirectory, from), Operand(toDirectory, to)), path, cancellationToken).ConfigureAwait(false);
        Changed(fromDirectory, result.FromDirWcc, started);
        Changed(toDirectory, result.ToDirWcc, started);
        Nfs3Calls.Check(Nfs3Procedure.Rename, path, result.Status);
    }

    private async ValueTask RemoveNameAsync(
        Nfs3Procedure procedure, Inode directory, string name, string path, CancellationToken cancellationToken)
    {
        long started = _mount.Time.GetTimestamp();
        Remove3Res result = await _mount.Calls.TryAsync<Remove3Args, Remove3Res>(
            procedure, new Remove3Args(Operand(directory, name)), path, cancellationToken).ConfigureAwait(false);
        Changed(directory, result.DirWcc, started);
        Nfs3Calls.Check(procedure, path, result.Status);
    }

    private async ValueTask MakeAsync<TArguments>(
        Nfs3Procedure procedure, Inode directory, TArguments arguments, string path, CancellationToken cancellationToken)
        where TArguments : SunRpc.IXdr<TArguments>
    {
        long started = _mount.Time.GetTimestamp();
        Create3Res result = await _mount.Calls.TryAsync<TArguments, Create3Res>(procedure, arguments, path, cancellationToken).ConfigureAwait(false);
        Changed(directory, result.Status == Nfsstat3.Ok ? result.Ok.DirWcc : result.Fail, started);
        Nfs3Calls.Check(procedure, path, result.Status);
    }

    // By us: whatever names were known, they are looked up anew.
    private static void Changed(Inode directory, in WccData change, long startedAt)
    {
        directory.Invalidate();
        directory.Update(change.After.Attributes, startedAt);
    }
}
