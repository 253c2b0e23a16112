namespace Kworker.Interop.Peers;

/// <summary>A server not of our making, for our client.</summary>
internal interface IPeerServer : IAsyncDisposable
{
    /// <summary>The URL of something in the export.</summary>
    string UrlOf(string path);

    /// <summary>A command line that runs where the server can be reached.</summary>
    string[] Command(params string[] command);

    /// <summary>The SHA-256 of a file in the export, as the server's own machine reads it.</summary>
    Task<string> HashAsync(string name);

    /// <summary>The names in the export, as the server's own machine lists them.</summary>
    Task<string[]> ListAsync();
}

/// <summary>The nfs command at such a server.</summary>
internal static class PeerServerCommands
{
    /// <summary>Runs <c>nfs</c> with arguments to its end.</summary>
    public static Command Nfs(this IPeerServer server, params string[] arguments)
    {
        string[] command = server.Command([Machine.Nfs, .. arguments]);
        return Command.Run(command[0], command[1..], new Dictionary<string, string> { ["DOTNET_ROOT"] = Machine.DotnetRoot });
    }
}
