namespace Kworker.Interop.Peers;

/// <summary>How a test's server differs from the usual one.</summary>
internal sealed record ServerOptions
{
    /// <summary>The export's options, as exports(5) writes them.</summary>
    public string Export { get; init; } = "rw,insecure,no_root_squash";

    /// <summary>What the daemon does about rpcbind. Its clients here are told the port: none.</summary>
    public string Rpcbind { get; init; } = "none";

    /// <summary>More of the daemon's own options.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>A command that runs the daemon, as <c>setpriv ...</c> does: the daemon's command line follows it.</summary>
    public IReadOnlyList<string> RunBy { get; init; } = [];

    /// <summary>Another executable in the daemon's place, with the daemon's options.</summary>
    public string? Executable { get; init; }

    /// <summary>The user and group that get the exported directory and the state; the tests' own unless given.</summary>
    public string? Owner { get; init; }
}
