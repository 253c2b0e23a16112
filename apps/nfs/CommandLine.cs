using System.CommandLine;
using Kworker.Apps.Nfs.Commands;
using Kworker.Nfs;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfs;

/// <summary>The commands and options of nfs.</summary>
internal sealed class CommandLine
{
    private readonly TextWriter _output;
    private readonly TextWriter _error;

    private readonly Option<bool> _soft = new("--soft")
    {
        Description = "Fail when the server does not answer. Without it, wait for it for ever.",
        Recursive = true,
    };

    private readonly Option<double> _timeout = new("--timeout")
    {
        Description = "Send a call again after so many SECONDS without an answer.",
        HelpName = "SECONDS",
        Recursive = true,
        DefaultValueFactory = _ => 60,
    };

    private readonly Option<int> _retransmissions = new("--retrans")
    {
        Description = "After so many retransmissions the server is said not to respond.",
        HelpName = "COUNT",
        Recursive = true,
        DefaultValueFactory = _ => 2,
    };

    private readonly Option<int> _readSize = new("--rsize") { Description = "Most bytes of a READ; what the server prefers unless given.", HelpName = "BYTES", Recursive = true };

    private readonly Option<int> _writeSize = new("--wsize") { Description = "Most bytes of a WRITE; what the server prefers unless given.", HelpName = "BYTES", Recursive = true };

    private readonly Option<uint?> _uid = new("--uid") { Description = "The user that the server is told; one's own unless given.", HelpName = "UID", Recursive = true };

    private readonly Option<uint?> _gid = new("--gid") { Description = "The group that the server is told; one's own unless given.", HelpName = "GID", Recursive = true };

    private readonly Option<bool> _verbose = new("--verbose") { Description = "Say more on standard error: each connection made and lost.", Recursive = true };

    public CommandLine(TextWriter output, TextWriter error)
    {
        _output = output;
        _error = error;
        Root = new RootCommand(
            "Works with files on NFS version 3 servers, without mounting them.\n\n"
            + "URL: nfs://host[:port]/export/path[?mountport=PORT&lockport=PORT&rpcbind=PORT]\n"
            + "Example: nfs cp -r nfs://server/export/photos .")
        {
            List(), Concatenate(), Copy(), Stat(), Remove(), DiskFree(), Lock(),
        };
        foreach (Option option in (Option[])[_soft, _timeout, _retransmissions, _readSize, _writeSize, _uid, _gid, _verbose])
            Root.Add(option);
    }

    public RootCommand Root { get; }

    private Command List()
    {
        var url = new Argument<string>("URL") { Description = "A directory, or a file." };
        var isLong = new Option<bool>("-l") { Description = "With type and mode, links, owner, group, size and time of the last change." };
        var all = new Option<bool>("-a") { Description = "Also names that begin with a dot." };
        return Make("ls", "Lists a directory.", [url], [isLong, all], (parsed, session, token) =>
            new ListCommand(session, _output).RunAsync(parsed.GetRequiredValue(url), parsed.GetValue(isLong), parsed.GetValue(all), token));
    }

    private Command Concatenate()
    {
        var urls = new Argument<string[]>("URL") { Description = "Files.", Arity = ArgumentArity.OneOrMore };
        return Make("cat", "Writes files to standard output.", [urls], [], (parsed, session, token) =>
            new CatCommand(session).RunAsync(parsed.GetRequiredValue(urls), token));
    }

    private Command Copy()
    {
        var paths = new Argument<string[]>("SOURCE... TARGET")
        {
            Description = "Files and directories, at least one of them a URL; several into a directory that is there.",
            Arity = new ArgumentArity(2, 100_000),
        };
        var recursive = new Option<bool>("-r", "--recursive") { Description = "Directories with all that is in them; links are copied as links." };
        var quiet = new Option<bool>("-q", "--quiet") { Description = "Without progress." };
        return Make(
            "cp", "Copies files to a server, from one, or between two. When it is done, all that was copied to a server is on its disk.", [paths], [recursive, quiet],
            (parsed, session, token) =>
                new CopyCommand(session, _error, parsed.GetValue(recursive), !parsed.GetValue(quiet) && !Console.IsErrorRedirected)
                    .RunAsync(parsed.GetRequiredValue(paths), token));
    }

    private Command Stat()
    {
        var urls = new Argument<string[]>("URL") { Description = "Files or directories.", Arity = ArgumentArity.OneOrMore };
        return Make("stat", "Says what the server knows of a file.", [urls], [], (parsed, session, token) =>
            new StatCommand(session, _output).RunAsync(parsed.GetRequiredValue(urls), token));
    }

    private Command Remove()
    {
        var urls = new Argument<string[]>("URL") { Description = "Files, or with -r directories.", Arity = ArgumentArity.OneOrMore };
        var recursive = new Option<bool>("-r", "--recursive") { Description = "Directories with all that is in them." };
        return Make("rm", "Removes files.", [urls], [recursive], (parsed, session, token) =>
            new RemoveCommand(session, _error).RunAsync(parsed.GetRequiredValue(urls), parsed.GetValue(recursive), token));
    }

    private Command DiskFree()
    {
        var url = new Argument<string>("URL") { Description = "An export, or anything in it." };
        return Make("df", "Says how much room there is.", [url], [], (parsed, session, token) =>
            new DiskFreeCommand(session, _output).RunAsync(parsed.GetRequiredValue(url), token));
    }

    private Command Lock()
    {
        var url = new Argument<string>("URL") { Description = "A file; made if it is not there and the lock is exclusive." };
        var range = new Argument<string>("RANGE") { Description = "all, FIRST-LAST, FIRST- (to the end) or FIRST+LENGTH, in bytes." };
        var words = new Argument<string[]>("COMMAND") { Description = "What to run, behind --, with its arguments.", Arity = ArgumentArity.OneOrMore };
        var shared = new Option<bool>("-s", "--shared") { Description = "Others may lock it so, too. Without it, nobody else may." };
        var noWait = new Option<bool>("-n", "--no-wait") { Description = "Fail at once if somebody else has locked it." };
        var command = new Command(
            "lock", "Holds a lock while a command runs, over restarts of the server. The exit status is the command's; 1 if the lock could not be had or was lost.")
        {
            url, range, words, shared, noWait,
        };
        command.SetAction((parsed, token) => new LockCommand(state => Read(parsed, state), _error).RunAsync(
            parsed.GetRequiredValue(url), LockedRange.Parse(parsed.GetRequiredValue(range)), parsed.GetValue(shared), !parsed.GetValue(noWait),
            parsed.GetRequiredValue(words), token));
        return command;
    }

    private Command Make(
        string name, string description, Argument[] arguments, Option[] options, Func<ParseResult, Session, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (Argument argument in arguments)
            command.Add(argument);
        foreach (Option option in options)
            command.Add(option);
        command.SetAction(async (parsed, token) =>
        {
            await using var session = new Session(Read(parsed));
            return await run(parsed, session, token);
        });
        return command;
    }

    /// <summary>How servers are spoken to.</summary>
    /// <exception cref="FormatException">A number is out of its range.</exception>
    internal NfsClientOptions Read(ParseResult parsed, string? stateDirectory = null)
    {
        double timeout = parsed.GetValue(_timeout);
        if (timeout is not (>= 0.1 and <= 3600))
            throw new FormatException("--timeout is a number of seconds from 0.1 to 3600");
        int retransmissions = parsed.GetValue(_retransmissions);
        if (retransmissions is < 0 or > 100)
            throw new FormatException("--retrans is a number from 0 to 100");
        return new NfsClientOptions
        {
            IsSoft = parsed.GetValue(_soft),
            Timeout = TimeSpan.FromSeconds(timeout),
            Retransmissions = retransmissions,
            ReadSize = Math.Max(0, parsed.GetValue(_readSize)),
            WriteSize = Math.Max(0, parsed.GetValue(_writeSize)),
            StateDirectory = stateDirectory,
            Uid = parsed.GetValue(_uid),
            Gid = parsed.GetValue(_gid),
            LoggerFactory = new ErrorLog(_error, parsed.GetValue(_verbose) ? LogLevel.Debug : LogLevel.Warning),
        };
    }
}
