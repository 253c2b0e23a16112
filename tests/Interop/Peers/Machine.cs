using System.Net;
using System.Net.Sockets;

namespace Kworker.Interop.Peers;

/// <summary>What these tests find on the machine, and what they say when it is not there.</summary>
internal static class Machine
{
    /// <summary>The repository's root: the nearest folder above the tests with the solution in it.</summary>
    public static string Repository { get; } = Above(AppContext.BaseDirectory, folder => File.Exists(Path.Combine(folder, "Kworker.slnx")))
        ?? throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds Kworker.slnx");

    /// <summary>The built daemon, of the same configuration as these tests.</summary>
    public static string Nfsd { get; } = Built("apps/nfsd", "nfsd");

    /// <summary>The built program that keeps the record of NFSv4 clients.</summary>
    public static string NfsdCltrack { get; } = Path.Combine(Path.GetDirectoryName(Nfsd)!, "nfsdcltrack");

    /// <summary>The built server whose power can be cut.</summary>
    public static string PowerCutHost { get; } = Built("tests/PowerCut.Host", "powercut-host");

    /// <summary>The built nfs command.</summary>
    public static string Nfs { get; } = Built("apps/nfs", "nfs");

    /// <summary>The built process with our client in it.</summary>
    public static string NfsHost { get; } = Built("tests/Nfs.Host", "nfs-host");

    /// <summary>The .NET that runs these tests, wherever that was installed: what built programs are to find.</summary>
    public static string DotnetRoot { get; } =
        Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));

    /// <summary>The built clients that lock as they are told.</summary>
    public static string LockHost { get; } = Built("tests/Lock.Host", "lock-host");

    /// <summary>The folder with the real peers that are not Debian packages: <c>shared</c> beside the repository or a folder above it.</summary>
    /// <remarks>The environment's <c>KWORKER_SHARED</c> names another place.</remarks>
    public static string? Shared { get; } = Environment.GetEnvironmentVariable("KWORKER_SHARED") is { Length: > 0 } named
        ? named
        : Above(Repository, folder => Directory.Exists(Path.Combine(folder, "shared", "linux-client"))) is { } parent ? Path.Combine(parent, "shared") : null;

    /// <summary>Debug or Release, as these tests were built.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>Root's rights: needed to boot the guest, to own files as others, and to keep other users' credentials.</summary>
    public static bool IsRoot => Environment.IsPrivilegedProcess;

    /// <summary>The path of the peer's <paramref name="relative"/> file; the test does not run where it is absent.</summary>
    public static string NeedShared(string relative)
    {
        var path = Shared is null ? null : Path.Combine(Shared, relative);
        if (path is null || !File.Exists(path))
            Assert.Skip($"not run: there is no shared/{relative} beside the repository (KWORKER_SHARED may name the folder)");
        return path;
    }

    /// <summary>The full path of <paramref name="command"/>; the test does not run where Debian's <paramref name="package"/> is not installed.</summary>
    public static string NeedCommand(string command, string package)
    {
        string[] folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        var path = folders.Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
        if (path is null)
            Assert.Skip($"not run: there is no {command} here (Debian: apt-get install {package})");
        return path;
    }

    /// <summary>The test does not run without root's rights, <paramref name="why"/> says what they are for.</summary>
    public static void NeedRoot(string why)
    {
        if (!IsRoot)
            Assert.Skip($"not run: only root can {why}");
    }

    /// <summary>A port of the loopback that nothing had a moment ago, with <paramref name="neighbours"/> free ones behind it.</summary>
    public static int FreePort(int neighbours = 0)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var first = new TcpListener(IPAddress.Loopback, 0);
            first.Start();
            var port = ((IPEndPoint)first.LocalEndpoint).Port;
            if (attempt == 100 || Enumerable.Range(port + 1, neighbours).All(IsFree))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        if (port > IPEndPoint.MaxPort)
            return false;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    /// <summary>The executable <paramref name="name"/> of <paramref name="project"/>, built in the configuration that these tests were built in.</summary>
    private static string Built(string project, string name)
    {
        // .../tests/Interop/bin/Debug/net10.0/
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Repository, project, "bin", framework.Parent!.Name, framework.Name, name);
    }

    private static string? Above(string start, Func<string, bool> isIt)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (isIt(folder.FullName))
                return folder.FullName;
        }

        return null;
    }
}
