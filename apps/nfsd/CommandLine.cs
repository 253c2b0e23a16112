using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using Kworker.Apps.Nfsd.Control;
using Kworker.Apps.Nfsd.Page;
using Kworker.Lockd;
using Kworker.Nfsd;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>The options of nfsd. Names follow exports(5) and nfs.conf(5).</summary>
internal sealed class CommandLine
{
    private const int DefaultDrainSeconds = 30;
    private const int MaxDrainSeconds = 24 * 60 * 60;
    private const int DefaultLeaseSeconds = 90;
    private const int MaxGraceSeconds = 60 * 60;

    private static readonly Dictionary<string, RpcbindMode> s_rpcbindModes = new()
    {
        ["auto"] = RpcbindMode.Auto,
        ["builtin"] = RpcbindMode.BuiltIn,
        ["system"] = RpcbindMode.System,
        ["none"] = RpcbindMode.None,
    };

    private static readonly Dictionary<string, NsmMode> s_nsmModes = new()
    {
        ["builtin"] = NsmMode.BuiltIn,
        ["system"] = NsmMode.System,
        ["none"] = NsmMode.None,
    };

    private static readonly Dictionary<string, LogLevel> s_logLevels = new()
    {
        ["trace"] = LogLevel.Trace,
        ["debug"] = LogLevel.Debug,
        ["information"] = LogLevel.Information,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
        ["none"] = LogLevel.None,
    };

    /// <summary>The option that the configuration file itself cannot have.</summary>
    public const string ConfigurationOption = "--config";

    private readonly Option<string> _configuration = new(ConfigurationOption)
    {
        Description = "Take options from FILE, too: a section [nfsd], then lines as 'port = 2049', named as here without the dashes. What is given here wins. "
            + "At SIGHUP what is exported and the log level are read anew.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _export = new("--export")
    {
        Description = "Serve the directory PATH to everyone who can reach the server; may be given several times. OPTIONS as in exports(5), "
            + "apart by commas: ro (default) or rw; secure (default: clients must use a port below 1024, as root does) or insecure; "
            + "root_squash (default), no_root_squash or all_squash; anonuid=, anongid=, fsid=; sync (default) or async.",
        HelpName = "PATH[:OPTIONS]",
    };

    private readonly Option<string[]> _exports = new("--exports")
    {
        Description = "Serve what FILE lists, in the format of exports(5): directories, for each the clients and their options.",
        HelpName = "FILE",
    };

    private readonly Option<int> _port = new("--port")
    {
        Description = "The one port of all programs (NFS, MOUNT, NLM and NSM), TCP and UDP; 0 takes a free one. [default: 2049]",
        HelpName = "PORT",
        CustomParser = result => ParseNumber(result, "--port", IPEndPoint.MaxPort),
    };

    private readonly Option<IPAddress[]> _bind = new("--bind")
    {
        Description = "Listen on ADDRESS; may be given several times; 0.0.0.0 and :: are all. NFS trusts what a client's machine says "
            + "about its users, so that only this machine is let in unless told otherwise. [default: 127.0.0.1 and ::1]",
        HelpName = "ADDRESS",
        CustomParser = ParseAddresses,
    };

    private readonly Option<string> _state = new("--state")
    {
        Description = "Keep in DIR what must outlive the server: the key of its file handles, without which clients must mount again, and which "
            + "clients hold locks, without which they lose them.",
        HelpName = "DIR",
        DefaultValueFactory = _ => DefaultStateDirectory(),
    };

    private readonly Option<RpcbindMode> _rpcbind = new("--rpcbind")
    {
        Description = "Where clients find the port of MOUNT, unless they name it, and of locks, always: 'system' registers with the rpcbind that runs here, "
            + "'builtin' answers on port 111 itself, 'auto' takes the one or, if none runs and port 111 may be had, the other; 'none' does "
            + "neither. [default: auto]",
        HelpName = "auto|builtin|system|none",
        CustomParser = result => ParseWord(result, "--rpcbind", s_rpcbindModes),
    };

    private readonly Option<bool> _noLocks = new("--no-locks")
    {
        Description = "Serve no locks (NLM, NSM): clients must then mount with 'nolock'.",
    };

    private readonly Option<bool> _noLocalLocks = new("--no-local-locks")
    {
        Description = "Keep clients' locks from programs of this machine, and theirs from clients; otherwise they see each other's.",
    };

    private readonly Option<NsmMode> _nsm = new("--nsm")
    {
        Description = "Who tells clients that the server has restarted, so that they get their locks back, and the server that a client has: 'builtin' does it "
            + "itself; 'system' leaves it to the rpc.statd that runs here; 'none' does without, and locks do not survive. [default: builtin]",
        HelpName = "builtin|system|none",
        CustomParser = result => ParseWord(result, "--nsm", s_nsmModes),
    };

    private readonly Option<int> _grace = new("--grace")
    {
        Description = "After a start, give clients that held locks so many SECONDS to get them back, and nobody new ones. [default: 90; without NFSv4: 50]",
        HelpName = "SECONDS",
        CustomParser = result => ParseNumber(result, "--grace", MaxGraceSeconds),
    };

    private readonly Option<int> _lease = new("--lease")
    {
        Description = "NFSv4: a client that has been silent for so many SECONDS loses what others ask for. Clients that are there say so in shorter intervals. "
            + "[default: 90]",
        HelpName = "SECONDS",
        CustomParser = result => ParseNumber(result, "--lease", MaxGraceSeconds),
    };

    private readonly Option<string[]> _noVersion = new("--no-nfs-version")
    {
        Description = "Do not serve VERSION: 3, 4, 4.0, 4.1 or 4.2; may be given several times.",
        HelpName = "VERSION",
    };

    private readonly Option<string> _cltrack = new("--cltrack")
    {
        Description = "NFSv4: the program that records which clients may get their locks and open files back after a restart; it is called as the kernel's server calls it. "
            + "[default: /sbin/nfsdcltrack, or without that the one beside nfsd]",
        HelpName = "PROGRAM",
    };

    private readonly Option<string> _cltrackStorage = new("--cltrack-storage")
    {
        Description = "NFSv4: where that program keeps the record; it is told by '-s DIR' before its command. [default for a program named nfsdcltrack: nfsdcltrack "
            + "in the directory of --state; any other is not told]",
        HelpName = "DIR",
    };

    private readonly Option<int> _drain = new("--drain")
    {
        Description = "At SIGTERM or SIGINT, wait so many SECONDS at most for calls that run. A second signal ends at once. [default: 30]",
        HelpName = "SECONDS",
        CustomParser = result => ParseNumber(result, "--drain", MaxDrainSeconds),
    };

    private readonly Option<LogLevel> _logLevel = new("--log-level")
    {
        Description = "What is told on standard error: debug (each client, each refused call), information (mounts), warning, error or none. "
            + "[default: information]",
        HelpName = "LEVEL",
        CustomParser = result => ParseWord(result, "--log-level", s_logLevels),
    };

    private readonly Option<string> _http = new("--http")
    {
        Description = "Serve the state page, and /metrics for Prometheus, by HTTP: to this machine alone unless ADDRESS is another, which takes --http-password-file. [default: do not]",
        HelpName = "[ADDRESS:]PORT",
    };

    private readonly Option<string> _httpPassword = new("--http-password-file")
    {
        Description = "Ask whoever wants to see the state page for the password in the first line of FILE; the user is nfsd.",
        HelpName = "FILE",
    };

    public CommandLine()
    {
        Root = new RootCommand(
            "Serves directories over NFS version 3, 4.0 and 4.1.\n\n"
            + "Example: nfsd --export /srv:rw,insecure --port 20049\n"
            + "It prints the command that mounts it.")
        {
            _configuration, _export, _exports, _port, _bind, _state, _rpcbind, _grace, _lease, _noVersion, _cltrack, _cltrackStorage, _nsm, _noLocks, _noLocalLocks, _drain, _http,
            _httpPassword, _logLevel, StateCommands.Status(_state), StateCommands.Top(_state),
        };
        Root.SetAction(static _ => 0); // to serve: Program's own
    }

    public RootCommand Root { get; }

    /// <summary>Whether only --help or --version is asked for.</summary>
    public bool IsQuestion(ParseResult parsed) =>
        Root.Options.Any(option => option is HelpOption or VersionOption && parsed.GetResult(option) is { Implicit: false });

    /// <summary>What <paramref name="parsed"/> asks for, with the configuration file that it may name as that is now.</summary>
    /// <exception cref="StartupException">It cannot be understood, or nothing is to be served.</exception>
    public Settings Read(ParseResult parsed)
    {
        IReadOnlyList<string> fromFile = [];
        ParseResult given = parsed;
        if (given.GetValue(_configuration) is { } file)
        {
            fromFile = ConfigurationFile.Read(file, Root, given);
            parsed = Root.Parse([.. given.Tokens.Select(token => token.Value), .. fromFile]);
        }
        var settings = new Settings
        {
            Exports = parsed.GetValue(_export) ?? [],
            ExportFiles = parsed.GetValue(_exports) ?? [],
            Port = Given(parsed, _port, NfsServerOptions.DefaultPort),
            Addresses = parsed.GetValue(_bind) is { Length: > 0 } addresses ? addresses : [IPAddress.Loopback, IPAddress.IPv6Loopback],
            StateDirectory = parsed.GetValue(_state)!,
            Rpcbind = Given(parsed, _rpcbind, RpcbindMode.Auto),
            Locks = !parsed.GetValue(_noLocks),
            LocalLocks = !parsed.GetValue(_noLocalLocks),
            Nsm = Given(parsed, _nsm, NsmMode.BuiltIn),
            Grace = parsed.GetResult(_grace) is null ? null : TimeSpan.FromSeconds(parsed.GetValue(_grace)),
            Lease = TimeSpan.FromSeconds(Given(parsed, _lease, DefaultLeaseSeconds)),
            Versions = ReadVersions(parsed.GetValue(_noVersion) ?? []),
            ClientTracking = parsed.GetValue(_cltrack),
            ClientTrackingStorage = parsed.GetValue(_cltrackStorage),
            Http = ReadHttp(parsed.GetValue(_http), parsed.GetValue(_httpPassword)),
            DrainTime = TimeSpan.FromSeconds(Given(parsed, _drain, DefaultDrainSeconds)),
            LogLevel = Given(parsed, _logLevel, LogLevel.Information),
            Fixed = FixedOptions(parsed),
            Reread = () => Read(given),
        };
        if (settings.Exports.Count == 0 && settings.ExportFiles.Count == 0)
            throw new StartupException("nothing to serve: name a directory, as in nfsd --export /srv:rw,insecure --port 20049. See nfsd --help.", Program.UsageError);
        if (settings.StateDirectory.Length == 0)
            throw new StartupException("there is no home directory to keep state in: name a directory with --state. See nfsd --help.", Program.UsageError);
        return settings;
    }

    private static HttpEndPoint? ReadHttp(string? word, string? passwordFile)
    {
        if (word is null)
            return passwordFile is null ? null : throw new StartupException("--http-password-file: it is for --http, which is not given. See nfsd --help.", Program.UsageError);
        (IPAddress address, int port) = HttpEndPoint.Parse(word)
            ?? throw new StartupException($"--http {word}: it is a port, or an address of this machine and a port, as 127.0.0.1:8049. See nfsd --help.", Program.UsageError);
        if (passwordFile is null && !IPAddress.IsLoopback(address))
        {
            throw new StartupException(
                $"--http {word}: others than this machine may see the state page by a password only. Write one into a file, and name that with --http-password-file.", Program.UsageError);
        }
        return new HttpEndPoint(address, port, passwordFile is null ? null : ReadPassword(passwordFile));
    }

    private static string ReadPassword(string file)
    {
        try
        {
            string password = File.ReadLines(file).FirstOrDefault("").Trim();
            return password.Length > 0 ? password : throw new StartupException($"--http-password-file: {file} has no password in its first line.", Program.UsageError);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"--http-password-file: {exception.Message}", innerException: exception);
        }
    }

    /// <summary>What cannot be changed while it runs, to be compared: names and values.</summary>
    private Dictionary<string, string> FixedOptions(ParseResult parsed) => Root.Options
        .Where(option => option != _export && option != _exports && option != _logLevel && option != _configuration)
        .Select(option => (option.Name, Result: parsed.GetResult(option)))
        .Where(pair => pair.Result is { Implicit: false })
        .ToDictionary(pair => pair.Name[2..], pair => string.Join(' ', pair.Result!.Tokens.Select(token => token.Value)));

    private static NfsVersions ReadVersions(string[] without)
    {
        NfsVersions versions = NfsVersions.All;
        foreach (string word in without)
        {
            versions &= ~(word switch
            {
                "3" => NfsVersions.V3,
                "4" => NfsVersions.V4,
                "4.0" => NfsVersions.V40,
                "4.1" => NfsVersions.V41,
                "4.2" => NfsVersions.V42,
                _ => throw new StartupException($"--no-nfs-version {word}: it is one of 3, 4, 4.0, 4.1, 4.2. See nfsd --help.", Program.UsageError),
            });
        }
        return versions != NfsVersions.None
            ? versions
            : throw new StartupException("--no-nfs-version: no version is left to serve. See nfsd --help.", Program.UsageError);
    }

    private static string DefaultStateDirectory()
    {
        if (Environment.IsPrivilegedProcess)
            return "/var/lib/kworker/nfsd";
        string? states = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(states))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            if (home.Length == 0)
                return "";
            states = Path.Combine(home, ".local", "state");
        }
        return Path.Combine(states, "kworker", "nfsd");
    }

    private static IPAddress[]? ParseAddresses(ArgumentResult result)
    {
        var addresses = new List<IPAddress>();
        foreach (Token token in result.Tokens)
        {
            if (IPAddress.TryParse(token.Value, out IPAddress? address))
                addresses.Add(address);
            else
                result.AddError($"--bind {token.Value}: that is no address; name one of this machine, or 0.0.0.0 for all.");
        }
        return [.. addresses];
    }

    private static T Given<T>(ParseResult parsed, Option<T> option, T otherwise) =>
        parsed.GetResult(option) is null ? otherwise : parsed.GetValue(option)!;

    private static int ParseNumber(ArgumentResult result, string option, int highest)
    {
        string word = result.Tokens[0].Value;
        if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= highest)
            return number;
        result.AddError($"{option} {word}: it is a number from 0 to {highest}.");
        return 0;
    }

    private static T ParseWord<T>(ArgumentResult result, string option, Dictionary<string, T> words)
    {
        string word = result.Tokens[0].Value;
        if (words.TryGetValue(word, out T? value))
            return value;
        result.AddError($"{option} {word}: it is one of {string.Join(", ", words.Keys)}.");
        return default!;
    }
}
