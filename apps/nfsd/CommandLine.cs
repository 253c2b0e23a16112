using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Net;
using Kworker.Nfsd;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>The options of nfsd. Names follow exports(5) and nfs.conf(5).</summary>
internal sealed class CommandLine
{
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
        Description = "The one port of all programs (NFS and MOUNT), TCP and UDP; 0 takes a free one.",
        HelpName = "PORT",
        DefaultValueFactory = _ => NfsServerOptions.DefaultPort,
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
        Description = "Keep in DIR what must outlive the server: the key of its file handles, without which clients must mount again.",
        HelpName = "DIR",
        DefaultValueFactory = _ => DefaultStateDirectory(),
    };

    private readonly Option<RpcbindMode> _rpcbind = new("--rpcbind")
    {
        Description = "Where clients that do not name the port of MOUNT find it: 'system' registers with the rpcbind that runs here, "
            + "'builtin' answers on port 111 itself, 'auto' takes the one or, if none runs and port 111 may be had, the other; 'none' does neither.",
        HelpName = "auto|builtin|system|none",
        CustomParser = ParseRpcbind,
        DefaultValueFactory = _ => RpcbindMode.Auto,
    };

    private readonly Option<int> _drain = new("--drain")
    {
        Description = "At SIGTERM or SIGINT, wait so many SECONDS at most for calls that run. A second signal ends at once.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 30,
    };

    private readonly Option<LogLevel> _logLevel = new("--log-level")
    {
        Description = "What is told on standard error: trace, debug (each client and refused call), information (mounts), warning, error, none.",
        HelpName = "LEVEL",
        DefaultValueFactory = _ => LogLevel.Information,
    };

    public CommandLine()
    {
        Root = new RootCommand(
            "Serves directories over NFS version 3.\n\n"
            + "Example: nfsd --export /srv:rw,insecure --port 20049\n"
            + "It prints the command that mounts it.")
        {
            _export, _exports, _port, _bind, _state, _rpcbind, _drain, _logLevel,
        };
        _port.Validators.Add(result => RequireRange(result, _port, 0, IPEndPoint.MaxPort));
        _drain.Validators.Add(result => RequireRange(result, _drain, 0, 24 * 60 * 60));
    }

    public RootCommand Root { get; }

    /// <summary>Whether only --help or --version is asked for.</summary>
    public bool IsQuestion(ParseResult parsed) =>
        Root.Options.Any(option => option is HelpOption or VersionOption && parsed.GetResult(option) is { Implicit: false });

    public Settings Read(ParseResult parsed)
    {
        var settings = new Settings
        {
            Exports = parsed.GetValue(_export) ?? [],
            ExportFiles = parsed.GetValue(_exports) ?? [],
            Port = parsed.GetValue(_port),
            Addresses = parsed.GetValue(_bind) is { Length: > 0 } addresses ? addresses : [IPAddress.Loopback, IPAddress.IPv6Loopback],
            StateDirectory = parsed.GetValue(_state)!,
            Rpcbind = parsed.GetValue(_rpcbind),
            DrainTime = TimeSpan.FromSeconds(parsed.GetValue(_drain)),
            LogLevel = parsed.GetValue(_logLevel),
        };
        if (settings.Exports.Count == 0 && settings.ExportFiles.Count == 0)
            throw new StartupException("nothing to serve: name a directory, as in nfsd --export /srv:rw,insecure --port 20049. See nfsd --help.", Program.UsageError);
        return settings;
    }

    private static string DefaultStateDirectory()
    {
        if (Environment.IsPrivilegedProcess)
            return "/var/lib/kworker/nfsd";
        string? states = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(states))
            states = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
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

    private static RpcbindMode ParseRpcbind(ArgumentResult result)
    {
        switch (result.Tokens[0].Value)
        {
            case "auto":
                return RpcbindMode.Auto;
            case "builtin":
                return RpcbindMode.BuiltIn;
            case "system":
                return RpcbindMode.System;
            case "none":
                return RpcbindMode.None;
            default:
                result.AddError($"--rpcbind {result.Tokens[0].Value}: it is auto, builtin, system or none.");
                return default;
        }
    }

    private static void RequireRange(OptionResult result, Option<int> option, int lowest, int highest)
    {
        // What is no number at all has been told already.
        if (result.Errors.Any() || result.Tokens is not [Token token, ..] || !int.TryParse(token.Value, out int value))
            return;
        if (value < lowest || value > highest)
            result.AddError($"{option.Name} {value}: it is {lowest} to {highest}.");
    }
}
