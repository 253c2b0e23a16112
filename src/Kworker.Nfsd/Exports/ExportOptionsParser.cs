using System.Globalization;

namespace Kworker.Nfsd.Exports;

/// <summary>Reads the option lists of exports(5): <c>rw,no_root_squash,anonuid=1000</c>.</summary>
internal static class ExportOptionsParser
{
    /// <summary>Applies <paramref name="list"/> to <paramref name="options"/>, from left to right; a later word wins.</summary>
    public static ExportOptions Parse(string list, ExportOptions options)
    {
        foreach (string word in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            options = Apply(word, options);
        return options;
    }

    private static ExportOptions Apply(string word, ExportOptions options)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        string? value = equals < 0 ? null : word[(equals + 1)..];
        return (name, value) switch
        {
            ("ro", null) => options with { IsReadOnly = true },
            ("rw", null) => options with { IsReadOnly = false },
            ("secure", null) => options with { RequiresPrivilegedPort = true },
            ("insecure", null) => options with { RequiresPrivilegedPort = false },
            ("sync", null) => options with { IsAsync = false },
            ("async", null) => options with { IsAsync = true },
            ("root_squash", null) => options with { Squash = options.Squash == Squash.All ? Squash.All : Squash.Root },
            ("no_root_squash", null) => options with { Squash = options.Squash == Squash.All ? Squash.All : Squash.None },
            ("all_squash", null) => options with { Squash = Squash.All },
            ("no_all_squash", null) => options with { Squash = options.Squash == Squash.All ? Squash.Root : options.Squash },
            ("anonuid", not null) => options with { AnonymousUid = Id(word, value) },
            ("anongid", not null) => options with { AnonymousGid = Id(word, value) },
            ("fsid", not null) => options with { FileSystemId = Fsid(word, value) },

            // These say what we do anyway, or what makes no difference here.
            ("subtree_check" or "no_subtree_check" or "wdelay" or "no_wdelay" or "hide" or "no_acl" or "acl" or "no_pnfs"
                or "secure_locks" or "auth_nlm", null) => options,
            ("sec", not null) when value.Split(':').Contains("sys", StringComparer.Ordinal) => options,
            ("xprtsec", "none") => options,

            ("nohide" or "crossmnt", _) => throw new ExportsFormatException(
                $"option '{word}' is not supported: other file systems mounted below an export stay hidden; export each by itself"),
            ("sec", not null) => throw new ExportsFormatException($"option '{word}' is not supported: the server knows sec=sys"),
            ("xprtsec" or "mountpoint" or "mp" or "refer" or "replicas" or "pnfs" or "security_label" or "insecure_locks" or "no_auth_nlm", _) =>
                throw new ExportsFormatException($"option '{word}' is not supported"),
            ("ro" or "rw" or "secure" or "insecure" or "sync" or "async" or "root_squash" or "no_root_squash" or "all_squash" or "no_all_squash", _) =>
                throw new ExportsFormatException($"option '{word}': '{name}' takes no value"),
            ("anonuid" or "anongid" or "fsid", null) => throw new ExportsFormatException($"option '{word}' needs a value"),
            _ => throw new ExportsFormatException($"unknown option '{word}'"),
        };
    }

    private static uint Id(string word, string value)
    {
        // exports(5) shows -1 and -2 for nobody, too: the same 32 bits.
        if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long id) && id is >= int.MinValue and <= uint.MaxValue)
            return unchecked((uint)id);
        throw new ExportsFormatException($"option '{word}': '{value}' is no user or group number");
    }

    private static string Fsid(string word, string value)
    {
        if (value == "root" || uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) || Guid.TryParse(value, out _))
            return value == "root" ? value : value.ToLowerInvariant();
        throw new ExportsFormatException($"option '{word}': '{value}' is neither a number, 'root' nor a UUID");
    }
}
