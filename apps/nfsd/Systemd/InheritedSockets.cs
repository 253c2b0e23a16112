using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kworker.Apps.Nfsd.Systemd;

/// <summary>Socket activation: systemd has bound the sockets, and passes them as descriptors from 3 on.</summary>
internal static partial class InheritedSockets
{
    private const int First = 3; // SD_LISTEN_FDS_START
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    /// <summary>The sockets, all of TCP or UDP, one of TCP at least; none if none were passed.</summary>
    /// <exception cref="StartupException">What was passed is something else.</exception>
    public static IReadOnlyList<Socket> Open(ServiceEnvironment environment)
    {
        var sockets = new List<Socket>();
        for (int i = 0; i < environment.Descriptors.Count; i++)
        {
            // They come without it, since they had to outlive the exec of this very program.
            _ = SetFlags(First + i, SetDescriptorFlags, CloseOnExec);
            sockets.Add(Open(First + i) ?? throw new StartupException(
                $"systemd passes '{environment.Descriptors[i]}', which is no TCP socket that listens and no UDP socket. "
                    + "In its socket unit let ListenStream= and ListenDatagram= be ports or addresses with ports, and Accept=no."));
        }
        return sockets.Count == 0 || sockets.Exists(static socket => socket.SocketType == SocketType.Stream)
            ? sockets
            : throw new StartupException("systemd passes no TCP socket, and NFS is served by TCP first of all. Add ListenStream= with the port to its socket unit.");
    }

    private static Socket? Open(int descriptor)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            bool isInternet = socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
            bool isServed = socket.SocketType switch
            {
                SocketType.Stream => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is not 0,
                SocketType.Dgram => true,
                _ => false,
            };
            if (isInternet && isServed)
                return socket;
        }
        catch (SocketException)
        {
            // No socket at all.
        }
        socket?.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int SetFlags(int descriptor, int command, int flags);
}
