namespace Kworker.Apps.Nfsdcltrack;

/// <summary>The section <c>[nfsdcltrack]</c> of nfs.conf(5) and of the files in its directory: <c>storagedir</c> and <c>debug</c>.</summary>
internal readonly record struct NfsConf(string? StorageDirectory, bool IsDebug)
{
    private const string Section = "nfsdcltrack";

    /// <summary>Reads <paramref name="file"/>, then each <c>*.conf</c> of the directory named after it, later ones having the last word. What cannot be read says nothing.</summary>
    public static NfsConf Read(string file)
    {
        var conf = new NfsConf();
        ReadFile(file, ref conf);
        string directory = file + ".d";
        if (Directory.Exists(directory))
        {
            string[] more = Directory.GetFiles(directory, "*.conf");
            Array.Sort(more, StringComparer.Ordinal);
            foreach (string one in more)
                ReadFile(one, ref conf);
        }
        return conf;
    }

    private static void ReadFile(string file, ref NfsConf conf)
    {
        if (!File.Exists(file))
            return;
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return; // As if it were not there: the caller passes -s, or the default is taken.
        }
        bool isOurs = false;
        foreach (string raw in lines)
        {
            ReadOnlySpan<char> line = raw.AsSpan().Trim();
            if (line.IsEmpty || line[0] is '#' or ';')
                continue;
            if (line[0] == '[')
            {
                int end = line.IndexOf(']');
                isOurs = end > 0 && line[1..end].Trim().Equals(Section, StringComparison.OrdinalIgnoreCase);
                continue;
            }
            int equals = line.IndexOf('=');
            if (!isOurs || equals < 0)
                continue;
            ReadOnlySpan<char> key = line[..equals].Trim();
            ReadOnlySpan<char> value = line[(equals + 1)..].Trim().Trim('"');
            if (key.Equals("storagedir", StringComparison.OrdinalIgnoreCase))
                conf = conf with { StorageDirectory = value.ToString() };
            else if (key.Equals("debug", StringComparison.OrdinalIgnoreCase))
                conf = conf with { IsDebug = value is not ("" or "0" or "n" or "no" or "f" or "false" or "off") };
        }
    }
}
