using System.Runtime.CompilerServices;

namespace Kworker.Nfs;

// READDIRPLUS, and READDIR where the server has nothing else.

public sealed partial class NfsClient
{
    /// <summary>Lists a directory, without "." and "..", in the server's order, as replies come in.</summary>
    /// <exception cref="NfsException">There is none, it is no directory, or the server refuses.</exception>
    public async IAsyncEnumerable<NfsDirectoryEntry> ListAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Inode directory = await WalkAsync(path, followLink: true, cancellationToken).ConfigureAwait(false);
        ulong cookie = 0;
        ulong verifier = 0;
        bool isPlus = true;
        while (true)
        {
            ReadDirPlus3Res list = await ListAsync(directory, cookie, verifier, isPlus, path, cancellationToken).ConfigureAwait(false);
            if (list.Status == Nfsstat3.NotSupp && isPlus && cookie == 0)
            {
                isPlus = false;
                continue;
            }
            Nfs3Calls.Check(isPlus ? Nfs3Procedure.ReadDirPlus : Nfs3Procedure.ReadDir, path, list.Status);
            foreach (DirectoryItem item in list.Entries)
            {
                cookie = item.Cookie;
                string name = WireName.Decode(item.Name);
                if (name is "." or "..")
                    continue;
                // A name with a slash is none: a server that sends one wants us to write elsewhere.
                if (name.Length == 0 || name.AsSpan().IndexOfAny('/', '\0') >= 0)
                    throw new NfsException("READDIR", path, "the server sent a name that cannot be one");
                yield return new NfsDirectoryEntry(name, item.FileId, item.Attributes is { } attributes ? NfsAttributes.From(attributes) : null);
            }
            if (list.Eof)
                yield break;
            if (list.Entries.Length == 0)
                throw new NfsException("READDIR", path, "the server sends neither entries nor the end");
            verifier = list.Cookieverf;
        }
    }

    private async ValueTask<ReadDirPlus3Res> ListAsync(
        Inode directory, ulong cookie, ulong verifier, bool isPlus, string path, CancellationToken cancellationToken)
    {
        uint size = _mount.ListingSize;
        long started = _mount.Time.GetTimestamp();
        ReadDirPlus3Res list;
        if (isPlus)
        {
            list = await _mount.Calls.TryAsync<ReadDirPlus3Args, ReadDirPlus3Res>(
                Nfs3Procedure.ReadDirPlus, new ReadDirPlus3Args(directory.Handle, cookie, verifier, size, size), path, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            ReadDir3Res plain = await _mount.Calls.TryAsync<ReadDir3Args, ReadDir3Res>(
                Nfs3Procedure.ReadDir, new ReadDir3Args(directory.Handle, cookie, verifier, size), path, cancellationToken).ConfigureAwait(false);
            list = plain.List;
        }
        directory.Update(list.DirAttributes.Attributes, started);
        foreach (DirectoryItem item in list.Entries)
        {
            if (item.Handle is { } handle)
                _mount.Inodes.Get(handle).Update(item.Attributes, started);
        }
        return list;
    }
}
