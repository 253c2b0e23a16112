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

    /// <summary>
    /// Options for a server that is restarted under a Linux client of a version. Clients of 4.1 say when they have their locks and open files back, and grace is over;
    /// those of 4.0 do not, and 45 s is long enough for a guest on a machine that is busy.
    /// </summary>
    public static IReadOnlyList<string> Grace(string version) => version == "4.0" ? ["--grace", "45", "--lease", "45"] : [];

    /// <summary>The user and group that get the exported directory and the state; the tests' own unless given.</summary>
    public string? Owner { get; init; }
}
