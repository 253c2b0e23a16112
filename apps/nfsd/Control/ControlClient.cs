using System.Net.Sockets;
using System.Text.Json;
using Kworker.StatePage;

namespace Kworker.Apps.Nfsd.Control;

/// <summary>Asks a server that runs how it stands.</summary>
internal sealed class ControlClient : IDisposable
{
    private readonly Socket _socket;
    private readonly StreamReader _lines;

    private ControlClient(Socket socket)
    {
        _socket = socket;
        _lines = new StreamReader(new NetworkStream(socket, ownsSocket: true));
    }

    /// <exception cref="StartupException">No server runs with that state directory.</exception>
    public static async Task<ControlClient> ConnectAsync(string stateDirectory)
    {
        string path = Path.Combine(stateDirectory, ControlSocket.Name);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
            return new ControlClient(socket);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentOutOfRangeException)
        {
            socket.Dispose();
            string advice = exception is SocketException { SocketErrorCode: SocketError.AccessDenied }
                ? "It lets in the user that runs the server alone: ask as that one, or as root."
                : "Name its directory with --state, if it was started with another.";
            throw new StartupException($"no server answers at {path} ({exception.Message}). {advice}", innerException: exception);
        }
    }

    /// <summary>The next state; null when the server has ended.</summary>
    public async Task<StateDocument?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _lines.ReadLineAsync(cancellationToken) is { } line ? JsonSerializer.Deserialize(line, StateJson.Default.StateDocument) : null;
        }
        catch (IOException)
        {
            return null; // it was killed
        }
    }

    public void Dispose() => _lines.Dispose();
}
