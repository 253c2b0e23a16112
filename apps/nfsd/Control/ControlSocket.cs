using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kworker.StatePage;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd.Control;

/// <summary>
/// The socket in the state directory by which <c>nfsd status</c> and <c>nfsd top</c> ask: whoever connects is sent the state as a line of JSON, at once and each second until he
/// goes. Its file lets in the server's own user alone; it needs no port, no password, and nothing is read from it.
/// </summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    public const string Name = "control";

    private readonly StateReader _reader;
    private readonly Socket _listener;
    private readonly string _path;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _accepting;

    private ControlSocket(StateReader reader, Socket listener, string path)
    {
        _reader = reader;
        _listener = listener;
        _path = path;
        _accepting = AcceptAsync();
    }

    /// <summary>Listens; null when it cannot, which the log has: files are served all the same.</summary>
    public static ControlSocket? TryListen(string stateDirectory, StateReader reader, ILogger logger)
    {
        string path = Path.Combine(stateDirectory, Name);
        Socket? listener = null;
        try
        {
            if (IsListening(path))
                throw new IOException("another server listens there");
            File.Delete(path); // of one that was killed
            listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen();
            return new ControlSocket(reader, listener, path);
        }
        catch (Exception exception) when (exception is IOException or SocketException or UnauthorizedAccessException or ArgumentException)
        {
            listener?.Dispose();
            DaemonLog.NoControlSocket(logger, path, exception.Message);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        if (File.Exists(_path)) // the directory may have gone
            File.Delete(_path);
        await _accepting;
        _closing.Dispose();
    }

    private static bool IsListening(string path)
    {
        if (!File.Exists(path))
            return false;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false; // nobody is behind it
        }
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
            {
                Socket asker = await _listener.AcceptAsync(_closing.Token);
                served.RemoveAll(static task => task.IsCompleted);
                served.Add(ServeAsync(asker));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server ends, or no socket is to be had any more: files are served all the same.
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(Socket asker)
    {
        using IDisposable? watch = _reader.Watch();
        using (asker)
        {
            try
            {
                while (watch is not null)
                {
                    string json = JsonSerializer.Serialize(_reader.Read(), StateJson.Default.StateDocument);
                    ReadOnlyMemory<byte> line = Encoding.UTF8.GetBytes(json + "\n");
                    while (line.Length > 0)
                        line = line[await asker.SendAsync(line, _closing.Token)..];
                    await Task.Delay(_reader.Options.Interval, _closing.Token);
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // He has gone, or the server ends.
            }
        }
    }
}
