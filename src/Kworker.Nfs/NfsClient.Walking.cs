namespace Kworker.Nfs;

// From paths to files.

public sealed partial class NfsClient
{
    /// <summary>The file at a path; walked a second time, by what the server says, if what was known led to something that is gone.</summary>
    private async ValueTask<Inode> WalkAsync(string path, bool followLink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return await WalkOnceAsync(path, followLink, cancellationToken).ConfigureAwait(false);
        }
        catch (NfsException exception) when (exception.Status == NfsStatus.Stale)
        {
            _mount.Inodes.InvalidateAll();
            return await WalkOnceAsync(path, followLink, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<Inode> WalkOnceAsync(string path, bool followLink, CancellationToken cancellationToken)
    {
        var rest = new Stack<string>(Components(path).Reverse());
        var way = new List<Inode> { _mount.Root }; // for "..", which does not leave the export
        int links = 0;
        while (rest.TryPop(out string? name))
        {
            if (name == "..")
            {
                if (way.Count > 1)
                    way.RemoveAt(way.Count - 1);
                continue;
            }
            Inode directory = way[^1];
            Inode child = await LookupAsync(directory, name, path, cancellationToken).ConfigureAwait(false);
            if (rest.Count > 0 || followLink)
            {
                Fattr3 attributes = await AttributesAsync(child, path, cancellationToken).ConfigureAwait(false);
                if (attributes.Type == Ftype3.Link)
                {
                    if (++links > MaximumLinks)
                        throw new NfsException("LOOKUP", path, "too many symbolic links on the way");
                    string target = await ReadLinkAsync(child, path, cancellationToken).ConfigureAwait(false);
                    if (target.StartsWith('/'))
                        way.RemoveRange(1, way.Count - 1); // taken from the export's root: there is nothing else that we could reach
                    foreach (string component in Components(target).Reverse())
                        rest.Push(component);
                    continue;
                }
            }
            way.Add(child);
        }
        // Also the last one's: a name that was known may have got another file since.
        await AttributesAsync(way[^1], path, cancellationToken).ConfigureAwait(false);
        return way[^1];
    }

    /// <summary>The directory of a path, and the last name.</summary>
    private async ValueTask<(Inode Directory, string Name)> WalkToParentAsync(string operation, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        string trimmed = path.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        string name = trimmed[(slash + 1)..];
        if (name is "" or "." or "..")
            throw new NfsException(operation, path, "a name is missing at the end");
        return (await WalkAsync(slash < 0 ? "" : trimmed[..slash], followLink: true, cancellationToken).ConfigureAwait(false), name);
    }

    private async ValueTask<Inode> LookupAsync(Inode directory, string name, string path, CancellationToken cancellationToken)
    {
        // A name looked up before is good as long as the directory is not seen to have changed.
        Fattr3 attributes = await AttributesAsync(directory, path, cancellationToken).ConfigureAwait(false);
        if (directory.TryGetChild(name, attributes, out NfsFh3 child))
            return _mount.Inodes.Get(child);
        await directory.Gate.BlockAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await LookupInsideAsync(directory, name, path, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            directory.Gate.Unblock();
        }
    }

    /// <summary>Asks the server. Inside the directory's gate.</summary>
    private async ValueTask<Inode> LookupInsideAsync(Inode directory, string name, string path, CancellationToken cancellationToken) =>
        await TryLookupInsideAsync(directory, name, path, cancellationToken).ConfigureAwait(false)
        ?? throw new NfsException(Nfs3Calls.Name(Nfs3Procedure.Lookup), path, NfsStatus.NoEnt);

    /// <summary>As <see cref="LookupInsideAsync"/>; null if there is no such name.</summary>
    private async ValueTask<Inode?> TryLookupInsideAsync(Inode directory, string name, string path, CancellationToken cancellationToken)
    {
        long started = _mount.Time.GetTimestamp();
        Lookup3Res result = await _mount.Calls.TryAsync<Lookup3Args, Lookup3Res>(
            Nfs3Procedure.Lookup, new Lookup3Args(Operand(directory, name)), path, cancellationToken).ConfigureAwait(false);
        directory.Update((result.Status == Nfsstat3.Ok ? result.Ok.DirAttributes : result.Fail).Attributes, started);
        if (result.Status == Nfsstat3.NoEnt)
            return null;
        Nfs3Calls.Check(Nfs3Procedure.Lookup, path, result.Status);
        Inode inode = _mount.Inodes.Get(result.Ok.Object);
        inode.Update(result.Ok.ObjAttributes.Attributes, started);
        directory.SetChild(name, result.Ok.Object, result.Ok.DirAttributes.Attributes);
        return inode;
    }

    private static DirOpArgs3 Operand(Inode directory, string name) => new(directory.Handle, WireName.Encode(name));

    private static IEnumerable<string> Components(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(component => component != ".");
}
