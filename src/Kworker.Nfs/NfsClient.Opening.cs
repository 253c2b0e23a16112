using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kworker.Nfs;

// Open, with close-to-open consistency; creation.

public sealed partial class NfsClient
{
    /// <summary>
    /// Opens a file. The server is asked for its attributes, whatever is known of them: what another client wrote before it closed the file is
    /// seen.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">What becomes of a file that is there, or is not.</param>
    /// <param name="access">What for; the server is asked whether that may be.</param>
    /// <param name="permissions">Permission bits of a file that is made.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NfsException">It is not there, or is, or the server refuses.</exception>
    public async ValueTask<NfsFile> OpenAsync(
        string path,
        FileMode mode = FileMode.Open,
        FileAccess access = FileAccess.Read,
        int permissions = 0b110_100_100,
        CancellationToken cancellationToken = default)
    {
        if (mode == FileMode.Append)
            throw new NotSupportedException("NFS version 3 has no append: two clients would overwrite each other.");
        // Links at the end are followed by walking the target's own path: a loop is found by the walk.
        Inode inode = mode == FileMode.Open || mode == FileMode.Truncate
            ? await OpenExistingAsync(path, cancellationToken).ConfigureAwait(false)
            : await OpenOrCreateAsync(path, mode, permissions, cancellationToken).ConfigureAwait(false);
        try
        {
            await CheckOpenAsync(inode, path, access, cancellationToken).ConfigureAwait(false);
            if (mode is FileMode.Create or FileMode.Truncate)
                await SetAttributesAsync(inode, path, new NfsAttributeChanges { Size = 0 }, cancellationToken).ConfigureAwait(false);
            return new NfsFile(this, inode, path, access);
        }
        catch
        {
            await CloseAsync(inode).ConfigureAwait(false);
            throw;
        }
    }

    internal async ValueTask CloseAsync(Inode inode)
    {
        if (inode.Close() is { } silly)
            await RemovePutAsideAsync(silly, CancellationToken.None).ConfigureAwait(false);
    }

    // GETATTR in any case (close-to-open), and ACCESS, since only the server knows who may do what.
    private async ValueTask CheckOpenAsync(Inode inode, string path, FileAccess access, CancellationToken cancellationToken)
    {
        Fattr3 attributes = await FetchAttributesAsync(inode, path, cancellationToken).ConfigureAwait(false);
        if (attributes.Type != Ftype3.Regular)
            throw attributes.Type == Ftype3.Directory
                ? new NfsException("OPEN", path, NfsStatus.IsDir)
                : new NfsException("OPEN", path, "no regular file");
        NfsAccess wanted = (access.HasFlag(FileAccess.Read) ? NfsAccess.Read : 0) | (access.HasFlag(FileAccess.Write) ? NfsAccess.Modify | NfsAccess.Extend : 0);
        Access3Res granted = await _mount.Calls.CallAsync<Access3Args, Access3Res>(
            Nfs3Procedure.Access, new Access3Args(inode.Handle, (uint)wanted), path, cancellationToken).ConfigureAwait(false);
        if (((NfsAccess)granted.Ok.Access & wanted) != wanted)
            throw new NfsException("ACCESS", path, NfsStatus.Acces);
    }

    private async ValueTask<Inode> OpenExistingAsync(string path, CancellationToken cancellationToken)
    {
        Inode walked = await WalkAsync(path, followLink: true, cancellationToken).ConfigureAwait(false);
        // Counted as open while lookups hold removals off: whoever removes the name afterwards sees it. A link's target may lie in another
        // directory: then a removal may come between, and the file is gone, as between two clients.
        (Inode Directory, string Name)? parent = Components(path).Any()
            ? await WalkToParentAsync("OPEN", path, cancellationToken).ConfigureAwait(false)
            : null;
        if (parent is not { } place)
        {
            walked.Open();
            return walked;
        }
        await place.Directory.Gate.BlockAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Inode inode = await LookupInsideAsync(place.Directory, place.Name, path, cancellationToken).ConfigureAwait(false);
            Fattr3 attributes = await AttributesAsync(inode, path, cancellationToken).ConfigureAwait(false);
            if (attributes.Type == Ftype3.Link)
                inode = walked;
            inode.Open();
            return inode;
        }
        finally
        {
            place.Directory.Gate.Unblock();
        }
    }

    private async ValueTask<Inode> OpenOrCreateAsync(string path, FileMode mode, int permissions, CancellationToken cancellationToken)
    {
        (Inode directory, string name) = await WalkToParentAsync("CREATE", path, cancellationToken).ConfigureAwait(false);
        await directory.Gate.BlockAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Inode? there = await TryLookupInsideAsync(directory, name, path, cancellationToken).ConfigureAwait(false);
            if (there is not null && mode == FileMode.CreateNew)
                throw new NfsException("CREATE", path, NfsStatus.Exist);
            bool isLink = there is not null && (await AttributesAsync(there, path, cancellationToken).ConfigureAwait(false)).Type == Ftype3.Link;
            if (!isLink)
            {
                Inode inode = there ?? await CreateAsync(directory, name, mode == FileMode.CreateNew, permissions, path, cancellationToken).ConfigureAwait(false);
                inode.Open();
                return inode;
            }
        }
        finally
        {
            directory.Gate.Unblock();
        }
        // Outside the gate: the link may lead back into this directory.
        return await OpenExistingAsync(path, cancellationToken).ConfigureAwait(false);
    }

    // EXCLUSIVE, so that a creation whose reply was lost is known again by its verifier when it is sent anew; its attributes come after.
    private async ValueTask<Inode> CreateAsync(
        Inode directory, string name, bool isExclusive, int permissions, string path, CancellationToken cancellationToken)
    {
        var attributes = new NfsAttributeChanges { Mode = permissions };
        CreateHow3 how = isExclusive
            ? new CreateHow3(CreateMode3.Exclusive, Verf: BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)))
            : new CreateHow3(CreateMode3.Unchecked, attributes.ToWire());
        long started = _mount.Time.GetTimestamp();
        Create3Res result = await _mount.Calls.TryAsync<Create3Args, Create3Res>(
            Nfs3Procedure.Create, new Create3Args(Operand(directory, name), how), path, cancellationToken).ConfigureAwait(false);
        if (result.Status == Nfsstat3.NotSupp && isExclusive)
        {
            how = new CreateHow3(CreateMode3.Guarded, attributes.ToWire());
            result = await _mount.Calls.TryAsync<Create3Args, Create3Res>(
                Nfs3Procedure.Create, new Create3Args(Operand(directory, name), how), path, cancellationToken).ConfigureAwait(false);
        }
        Changed(directory, result.Status == Nfsstat3.Ok ? result.Ok.DirWcc : result.Fail, started);
        Nfs3Calls.Check(Nfs3Procedure.Create, path, result.Status);
        Inode? inode = result.Ok.Obj.Handle is { } handle
            ? _mount.Inodes.Get(handle)
            : await LookupInsideAsync(directory, name, path, cancellationToken).ConfigureAwait(false);
        inode.Update(result.Ok.ObjAttributes.Attributes, started);
        if (how.Mode == CreateMode3.Exclusive)
            await SetAttributesAsync(inode, path, attributes, cancellationToken).ConfigureAwait(false);
        return inode;
    }
}
