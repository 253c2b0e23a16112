using System.Diagnostics;

namespace Kworker.Nfs;

/// <summary>
/// A mounted export of an NFSv3 server (RFC 1813). Paths begin at the export's root, with or without a slash; symbolic links on the way are
/// followed. Thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// await using NfsClient client = await NfsClient.MountAsync("nfs://server/export");
/// await using NfsFile file = await client.OpenAsync("notes.txt", FileMode.OpenOrCreate, FileAccess.ReadWrite);
/// await file.WriteAsync(0, "hello"u8.ToArray());
/// </code>
/// Every operation that fails throws a <see cref="NfsException"/> that names the operation and the path. What is known of files is kept for
/// the time that the options say, but opening a file asks the server (close-to-open consistency): who opens a file after another client has
/// closed it sees what that wrote. Data is not kept.
/// </remarks>
[DebuggerDisplay("{Url}")]
public sealed partial class NfsClient : IAsyncDisposable
{
    private const int MaximumLinks = 40; // MAXSYMLINKS

    private readonly NfsMount _mount;

    private NfsClient(NfsMount mount)
    {
        _mount = mount;
        mount.Calls.Rpc.RespondingChanged += (_, responds) => RespondingChanged?.Invoke(this, responds);
    }

    /// <summary>The server does not respond (false), or does again (true). Raised on a thread of the client's; must not block.</summary>
    public event EventHandler<bool>? RespondingChanged;

    /// <summary>What was mounted.</summary>
    public NfsUrl Url => _mount.Url;

    /// <summary>The server's path of the export's root.</summary>
    public string ExportPath => _mount.ExportPath;

    /// <summary>What is left of the URL's path below the export's root: "/" if the URL names the root.</summary>
    public string RemainingPath => _mount.Url.Path.TrimEnd('/')[Math.Min(_mount.Url.Path.TrimEnd('/').Length, ExportPath.TrimEnd('/').Length)..] is { Length: > 0 } rest ? rest : "/";

    /// <summary>Bytes of a READ.</summary>
    public int ReadSize => _mount.ReadSize;

    /// <summary>Bytes of a WRITE.</summary>
    public int WriteSize => _mount.WriteSize;

    internal NfsMount Mount => _mount;

    /// <summary>Mounts an export.</summary>
    /// <param name="url">As <see cref="NfsUrl"/> says. If the server does not mount the whole path, the longest part of it that it mounts.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="FormatException">It is no URL.</exception>
    /// <exception cref="NfsException">The server cannot be reached, or refuses.</exception>
    public static ValueTask<NfsClient> MountAsync(string url, NfsClientOptions? options = null, CancellationToken cancellationToken = default) =>
        MountAsync(NfsUrl.Parse(url), options, cancellationToken);

    /// <inheritdoc cref="MountAsync(string, NfsClientOptions?, CancellationToken)"/>
    public static async ValueTask<NfsClient> MountAsync(NfsUrl url, NfsClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(url);
        return new NfsClient(await NfsMount.MountAsync(url, options ?? new NfsClientOptions(), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Unmounts. Files that are open are closed to further use; locks must have been released by closing their files.</summary>
    public ValueTask DisposeAsync() => _mount.DisposeAsync();

    /// <summary>What the server says about a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="followLink">Whether a symbolic link stands for what it points to.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NfsException">There is none, or it cannot be reached.</exception>
    public async ValueTask<NfsAttributes> GetAttributesAsync(string path, bool followLink = true, CancellationToken cancellationToken = default)
    {
        Inode inode = await WalkAsync(path, followLink, cancellationToken).ConfigureAwait(false);
        return NfsAttributes.From(await AttributesAsync(inode, path, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Changes attributes.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask SetAttributesAsync(string path, NfsAttributeChanges changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        Inode inode = await WalkAsync(path, followLink: true, cancellationToken).ConfigureAwait(false);
        await SetAttributesAsync(inode, path, changes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the caller may do with a file, of what is asked.</summary>
    /// <exception cref="NfsException">There is none, or it cannot be reached.</exception>
    public async ValueTask<NfsAccess> AccessAsync(string path, NfsAccess wanted, CancellationToken cancellationToken = default)
    {
        Inode inode = await WalkAsync(path, followLink: true, cancellationToken).ConfigureAwait(false);
        Access3Res result = await _mount.Calls.CallAsync<Access3Args, Access3Res>(
            Nfs3Procedure.Access, new Access3Args(inode.Handle, (uint)wanted), path, cancellationToken).ConfigureAwait(false);
        return (NfsAccess)result.Ok.Access & wanted;
    }

    /// <summary>What a symbolic link points to.</summary>
    /// <exception cref="NfsException">There is none, or it is no link.</exception>
    public async ValueTask<string> ReadLinkAsync(string path, CancellationToken cancellationToken = default)
    {
        Inode inode = await WalkAsync(path, followLink: false, cancellationToken).ConfigureAwait(false);
        return await ReadLinkAsync(inode, path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Room in the file system.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask<NfsFileSystemStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        FsStat3Res result = await _mount.Calls.CallAsync<FsStat3Args, FsStat3Res>(
            Nfs3Procedure.FsStat, new FsStat3Args(_mount.Root.Handle), "/", cancellationToken).ConfigureAwait(false);
        FsStat3ResOk ok = result.Ok;
        return new NfsFileSystemStatistics(ok.Tbytes, ok.Fbytes, ok.Abytes, ok.Tfiles, ok.Ffiles, ok.Afiles);
    }

    /// <summary>What the server can do.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public async ValueTask<NfsFileSystemLimits> GetLimitsAsync(CancellationToken cancellationToken = default)
    {
        NfsFh3 root = _mount.Root.Handle;
        FsInfo3Res info = await _mount.Calls.CallAsync<FsInfo3Args, FsInfo3Res>(
            Nfs3Procedure.FsInfo, new FsInfo3Args(root), "/", cancellationToken).ConfigureAwait(false);
        PathConf3Res path = await _mount.Calls.CallAsync<PathConf3Args, PathConf3Res>(
            Nfs3Procedure.PathConf, new PathConf3Args(root), "/", cancellationToken).ConfigureAwait(false);
        return new NfsFileSystemLimits(
            info.Ok.Rtmax, info.Ok.Wtmax, info.Ok.Maxfilesize, path.Ok.Linkmax, path.Ok.NameMax, path.Ok.CaseInsensitive);
    }

    /// <summary>The attributes, from the server if those kept are too old.</summary>
    internal async ValueTask<Fattr3> AttributesAsync(Inode inode, string path, CancellationToken cancellationToken) =>
        inode.CachedAttributes ?? await FetchAttributesAsync(inode, path, cancellationToken).ConfigureAwait(false);

    /// <summary>The attributes, from the server.</summary>
    internal async ValueTask<Fattr3> FetchAttributesAsync(Inode inode, string path, CancellationToken cancellationToken)
    {
        long started = _mount.Time.GetTimestamp();
        GetAttr3Res result = await _mount.Calls.CallAsync<GetAttr3Args, GetAttr3Res>(
            Nfs3Procedure.GetAttr, new GetAttr3Args(inode.Handle), path, cancellationToken).ConfigureAwait(false);
        inode.Update(result.ObjAttributes, started);
        return result.ObjAttributes;
    }

    internal async ValueTask SetAttributesAsync(Inode inode, string path, NfsAttributeChanges changes, CancellationToken cancellationToken)
    {
        long started = _mount.Time.GetTimestamp();
        SetAttr3Res result = await _mount.Calls.TryAsync<SetAttr3Args, SetAttr3Res>(
            Nfs3Procedure.SetAttr, new SetAttr3Args(inode.Handle, changes.ToWire(), null), path, cancellationToken).ConfigureAwait(false);
        inode.Update(result.ObjWcc.After.Attributes, started);
        Nfs3Calls.Check(Nfs3Procedure.SetAttr, path, result.Status);
    }

    private async ValueTask<string> ReadLinkAsync(Inode inode, string path, CancellationToken cancellationToken)
    {
        ReadLink3Res result = await _mount.Calls.CallAsync<ReadLink3Args, ReadLink3Res>(
            Nfs3Procedure.ReadLink, new ReadLink3Args(inode.Handle), path, cancellationToken).ConfigureAwait(false);
        return WireName.Decode(result.Ok.Data);
    }
}
