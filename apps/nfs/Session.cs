using Kworker.Nfs;

namespace Kworker.Apps.Nfs;

/// <summary>The mounts of one run: what lies below a mount that is there is reached through it.</summary>
internal sealed class Session(NfsClientOptions options) : IAsyncDisposable
{
    private readonly List<NfsClient> _clients = [];

    /// <summary>The client for a URL, and the path in its export.</summary>
    public Task<(NfsClient Client, string Path)> OpenAsync(string url, CancellationToken cancellationToken) =>
        OpenAsync(NfsUrl.Parse(url), cancellationToken);

    private async Task<(NfsClient Client, string Path)> OpenAsync(NfsUrl parsed, CancellationToken cancellationToken)
    {
        foreach (NfsClient client in _clients)
        {
            string root = client.ExportPath.TrimEnd('/');
            bool isSame = client.Url.Host == parsed.Host && client.Url.Port == parsed.Port && client.Url.MountPort == parsed.MountPort
                && client.Url.RpcbindPort == parsed.RpcbindPort;
            if (isSame && (parsed.Path == root || parsed.Path.StartsWith(root + "/", StringComparison.Ordinal)))
                return (client, parsed.Path.Length > root.Length ? parsed.Path[root.Length..] : "/");
        }
        NfsClient mounted = await NfsClient.MountAsync(parsed, options, cancellationToken);
        _clients.Add(mounted);
        return (mounted, mounted.RemainingPath);
    }

    /// <summary>As <see cref="OpenAsync(string, CancellationToken)"/>, for a name in a directory, which is what is mounted then: what has the name is not looked at.</summary>
    public async Task<(NfsClient Client, string Path)> OpenNameAsync(string url, CancellationToken cancellationToken)
    {
        NfsUrl parsed = NfsUrl.Parse(url);
        string path = parsed.Path.TrimEnd('/');
        int slash = path.LastIndexOf('/');
        if (slash < 0)
            throw new FormatException($"{url}: a name is missing");
        (NfsClient client, string directory) = await OpenAsync(parsed.WithPath(slash == 0 ? "/" : path[..slash]), cancellationToken);
        return (client, $"{directory.TrimEnd('/')}{path[slash..]}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NfsClient client in _clients)
            await client.DisposeAsync();
    }
}
