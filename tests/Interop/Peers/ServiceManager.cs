using System.Net.Sockets;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>systemd's end of sd_notify(3): a socket that a service tells how it stands.</summary>
internal sealed class ServiceManager : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly byte[] _buffer = new byte[64 << 10];

    public ServiceManager(string directory)
    {
        Path = System.IO.Path.Combine(directory, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
    }

    public string Path { get; }

    /// <summary>The next that it is told.</summary>
    public async Task<string> HearAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        var length = await _socket.ReceiveAsync(_buffer, limit.Token);
        return Encoding.UTF8.GetString(_buffer, 0, length);
    }

    public void Dispose() => _socket.Dispose();
}
