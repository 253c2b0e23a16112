using System.Net;
using Kworker.Nfs;

namespace Kworker.LockHost;

/// <summary>One client: its mount, its open files, what it believes it holds.</summary>
internal sealed class LockingClient : IAsyncDisposable
{
    private readonly NfsClient _mount;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task<NfsFile>> _files = []; // _lock
    private readonly HashSet<(string File, long Start, long Length)> _held = []; // _lock
    private readonly Action<string> _say;

    private LockingClient(NfsClient mount, Action<string> say)
    {
        _mount = mount;
        _say = say;
    }

    public static async Task<LockingClient> MountAsync(string url, IPAddress address, int number, Action<string> say) => new(
        await NfsClient.MountAsync(url, new NfsClientOptions { LocalAddress = address, LocalName = $"client{number}", LoggerFactory = new LineLog(number) }),
        say);

    /// <summary>What it believes it holds, as FILE/START/LENGTH.</summary>
    public string[] Held
    {
        get
        {
            lock (_lock)
                return [.. _held.Select(held => $"{held.File}/{held.Start}/{held.Length}")];
        }
    }

    public async Task<string> LockAsync(string file, long start, long length, bool wait)
    {
        NfsFile opened = await OpenAsync(file);
        if (!await opened.LockAsync(start, length, NfsLockKind.Exclusive, wait))
            return "denied";
        lock (_lock)
            _held.Add((file, start, length));
        return "granted";
    }

    public async Task<string> UnlockAsync(string file, long start, long length)
    {
        NfsFile opened = await OpenAsync(file);
        lock (_lock)
            _held.Remove((file, start, length));
        await opened.UnlockAsync(start, length);
        return "ok";
    }

    public async Task<string> WriteAsync(string file, string text)
    {
        await (await OpenAsync(file)).WriteAsync(0, System.Text.Encoding.UTF8.GetBytes(text));
        return "ok";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Task<NfsFile> file in _files.Values)
            await (await file).DisposeAsync();
        await _mount.DisposeAsync();
    }

    private Task<NfsFile> OpenAsync(string file)
    {
        lock (_lock)
            return _files.TryGetValue(file, out Task<NfsFile>? opened) ? opened : _files[file] = OpenNewAsync(file);
    }

    private async Task<NfsFile> OpenNewAsync(string file)
    {
        NfsFile opened = await _mount.OpenAsync($"/{file}", FileMode.OpenOrCreate, FileAccess.ReadWrite);
        opened.LockLost += (_, lost) =>
        {
            lock (_lock)
                _held.RemoveWhere(held => held.File == file && held.Start >= lost.Start && (lost.Length == 0 || held.Start < lost.Start + lost.Length));
            _say($"lost {file}/{lost.Start}/{lost.Length}");
        };
        return opened;
    }
}
