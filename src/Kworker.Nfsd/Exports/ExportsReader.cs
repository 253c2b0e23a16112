using System.Text;

namespace Kworker.Nfsd.Exports;

/// <summary>Reads the lines of exports(5): words apart by blanks, quotes, octal escapes, comments, lines continued by a backslash.</summary>
internal sealed class ExportsReader(byte[] text, string source)
{
    private int _at;
    private int _line = 1;

    /// <summary>The next export and the number of the line that it starts on; null at the end.</summary>
    public (byte[] Path, List<ExportClient> Clients, int Line)? Next()
    {
        byte[]? path;
        do
        {
            if (_at >= text.Length)
                return null;
            path = Word();
            if (path is null)
                EndLine();
        }
        while (path is null);

        int line = _line;
        try
        {
            return (path, Clients(), line);
        }
        catch (ExportsFormatException error)
        {
            throw At(line, error.Message);
        }
    }

    public ExportsFormatException At(int line, string what) => new($"{source}:{line}: {what}.");

    private List<ExportClient> Clients()
    {
        var clients = new List<ExportClient>();
        ExportOptions defaults = ExportOptions.Default;
        while (Word() is { } bytes)
        {
            string word = Encoding.UTF8.GetString(bytes);
            if (word[0] == '-')
            {
                defaults = ExportOptionsParser.Parse(word[1..], ExportOptions.Default);
                continue;
            }
            int open = word.IndexOf('(', StringComparison.Ordinal);
            if (open == 0 && clients.Count > 0)
            {
                // exports(5) means everyone by it; whoever wrote "host (rw)" meant the host.
                throw new ExportsFormatException($"'{word}' stands apart from its client; write '*{word}' for everyone");
            }
            if (open >= 0 && word[^1] != ')')
                throw new ExportsFormatException($"'{word}': the options must end with ')' and hold no blanks");
            string pattern = open < 0 ? word : word[..open];
            ExportOptions options = open < 0 ? defaults : ExportOptionsParser.Parse(word[(open + 1)..^1], defaults);
            clients.Add(ExportClient.Parse(pattern, options));
        }
        EndLine();
        if (clients.Count == 0)
            clients.Add(ExportClient.Parse("*", defaults));
        return clients;
    }

    /// <summary>The next word of this line, unquoted; null at its end.</summary>
    private byte[]? Word()
    {
        SkipBlanks();
        if (_at >= text.Length || text[_at] is (byte)'\n' or (byte)'#')
            return null;
        var word = new List<byte>();
        bool quoted = false;
        for (; _at < text.Length; _at++)
        {
            byte b = text[_at];
            if (b == '\n' || (!quoted && b is (byte)' ' or (byte)'\t' or (byte)'\r'))
                break;
            if (b == '"')
                quoted = !quoted;
            else if (b == '\\' && TryOctal(out byte escaped))
                word.Add(escaped);
            else if (b == '\\' && _at + 1 < text.Length && text[_at + 1] == '\n')
                break;
            else
                word.Add(b);
        }
        if (quoted)
            throw At(_line, "a quote is not closed");
        return word.Count == 0 ? throw At(_line, "an empty word") : [.. word];
    }

    /// <summary>Three octal digits after a backslash; leaves the position on the last of them.</summary>
    private bool TryOctal(out byte value)
    {
        value = 0;
        if (_at + 3 >= text.Length)
            return false;
        int sum = 0;
        for (int i = 1; i <= 3; i++)
        {
            int digit = text[_at + i] - '0';
            if (digit is < 0 or > 7)
                return false;
            sum = sum * 8 + digit;
        }
        if (sum > byte.MaxValue)
            return false;
        value = (byte)sum;
        _at += 3;
        return true;
    }

    private void SkipBlanks()
    {
        for (; _at < text.Length; _at++)
        {
            if (text[_at] == '\\' && _at + 1 < text.Length && text[_at + 1] == '\n')
            {
                _at++;
                _line++;
            }
            else if (text[_at] is not ((byte)' ' or (byte)'\t' or (byte)'\r'))
            {
                return;
            }
        }
    }

    private void EndLine()
    {
        while (_at < text.Length && text[_at] != '\n')
            _at++;
        _at++;
        _line++;
    }
}
