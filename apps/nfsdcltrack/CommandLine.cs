namespace Kworker.Apps.Nfsdcltrack;

/// <summary>The options, wherever they stand, and up to two words: the command and its argument.</summary>
internal readonly record struct CommandLine(bool IsForeground, bool IsDebug, string? StorageDirectory, string? Command, string? Argument)
{
    /// <summary>Where nfsd has its record as root, unless told otherwise. Never the place of the kernel's server.</summary>
    public const string DefaultStorage = "/var/lib/kworker/nfsd/nfsdcltrack";

    public const string Usage =
        """
        Usage: nfsdcltrack [ -hfd ] [ -s dir ] < cmd > < arg >
        Where < cmd > is one of the following and takes the following < arg >:
            init
            create <nfs_client_id4>
            remove <nfs_client_id4>
            check  <nfs_client_id4>
            gracedone <epoch time>
        """;

    private const string StorageOption = "--storagedir";

    /// <summary>Reads the arguments; further words are passed over.</summary>
    /// <returns>Whether every option is known and complete, and help is not asked for.</returns>
    public static bool TryParse(ReadOnlySpan<string> arguments, out CommandLine line)
    {
        line = default;
        var words = new List<string>();
        bool areOptionsOver = false;
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (areOptionsOver || argument.Length < 2 || argument[0] != '-')
            {
                words.Add(argument);
                continue;
            }
            string? next = i + 1 < arguments.Length ? arguments[i + 1] : null;
            if (argument == "--")
                areOptionsOver = true;
            else if (!(argument[1] == '-' ? TryTakeLong(argument, next, ref line, out bool tookNext) : TryTakeShort(argument, next, ref line, out tookNext)))
                return false;
            else if (tookNext)
                i++;
        }
        line = line with { Command = words.Count > 0 ? words[0] : null, Argument = words.Count > 1 ? words[1] : null };
        return true;
    }

    private static bool TryTakeLong(string argument, string? next, ref CommandLine line, out bool tookNext)
    {
        tookNext = false;
        switch (argument)
        {
            case "--foreground":
                line = line with { IsForeground = true };
                return true;
            case "--debug":
                line = line with { IsDebug = true };
                return true;
            case StorageOption when next is not null:
                line = line with { StorageDirectory = next };
                tookNext = true;
                return true;
            case not null when argument.StartsWith(StorageOption + "=", StringComparison.Ordinal):
                line = line with { StorageDirectory = argument[(StorageOption.Length + 1)..] };
                return true;
            default:
                return false;
        }
    }

    // Letters may stand together; what follows -s, in the same word or the next, is its value.
    private static bool TryTakeShort(string argument, string? next, ref CommandLine line, out bool tookNext)
    {
        tookNext = false;
        for (int i = 1; i < argument.Length; i++)
        {
            switch (argument[i])
            {
                case 'f':
                    line = line with { IsForeground = true };
                    break;
                case 'd':
                    line = line with { IsDebug = true };
                    break;
                case 's' when i + 1 < argument.Length:
                    line = line with { StorageDirectory = argument[(i + 1)..] };
                    return true;
                case 's' when next is not null:
                    line = line with { StorageDirectory = next };
                    tookNext = true;
                    return true;
                default:
                    return false;
            }
        }
        return true;
    }
}
