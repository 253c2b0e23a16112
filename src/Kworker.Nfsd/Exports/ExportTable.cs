using System.Text;

namespace Kworker.Nfsd.Exports;

/// <summary>All that a server exports: what exports(5) and <c>--export</c> describe. Immutable.</summary>
public sealed class ExportTable
{
    private readonly Export[] _byLength; // Longest path first: the first that fits is the most specific.
    private readonly Dictionary<uint, Export> _byId = [];

    /// <summary>Gathers <paramref name="exports"/>.</summary>
    /// <exception cref="ExportsFormatException">Two have the same path or the same id.</exception>
    public ExportTable(IEnumerable<Export> exports)
    {
        Exports = [.. exports];
        _byLength = [.. Exports.OrderByDescending(export => export.PathBytes.Length)];
        foreach (Export export in Exports)
        {
            if (_byId.TryAdd(export.Id, export))
                continue;
            Export other = _byId[export.Id];
            throw new ExportsFormatException(other.Path == export.Path
                ? $"'{export.Path}' is exported twice"
                : $"'{export.Path}' and '{other.Path}' have the same id {export.Id}: give one of them another fsid");
        }
    }

    /// <summary>All of them, in the order given.</summary>
    public IReadOnlyList<Export> Exports { get; }

    /// <summary>The export of this <see cref="Export.Id"/>; null if there is none.</summary>
    public Export? Find(uint id) => _byId.GetValueOrDefault(id);

    /// <summary>The most specific export that <paramref name="path"/> is in.</summary>
    /// <param name="path">As a client asks for it.</param>
    /// <param name="below">What remains of the path below the export, without a slash in front; empty for the export itself.</param>
    /// <returns>Null if there is none, or the path is no absolute path without "." and "..".</returns>
    public Export? Find(ReadOnlySpan<byte> path, out byte[] below)
    {
        below = [];
        byte[] normal;
        try
        {
            normal = ExportPath.Normalize(path);
        }
        catch (ExportsFormatException)
        {
            return null; // No such path can be exported; the caller says so to the client.
        }
        foreach (Export export in _byLength)
        {
            if (!ExportPath.IsWithin(normal, export.PathBytes))
                continue;
            below = normal.AsSpan(export.PathBytes.Length).TrimStart((byte)'/').ToArray();
            return export;
        }
        return null;
    }

    /// <summary>Reads a file in the format of exports(5).</summary>
    /// <exception cref="ExportsFormatException">It cannot be understood; the message names file, line and word.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<Export> ReadFile(string path) => Parse(File.ReadAllBytes(path), path);

    /// <summary>Reads text in the format of exports(5). A path that comes on several lines is one export with the clients of all.</summary>
    /// <param name="text">The text; names are bytes.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <param name="names">The name service; the system's if null.</param>
    /// <exception cref="ExportsFormatException">It cannot be understood; the message names source, line and word.</exception>
    public static IReadOnlyList<Export> Parse(ReadOnlySpan<byte> text, string source, IHostNames? names = null)
    {
        var reader = new ExportsReader(text.ToArray(), source);
        var found = new List<(byte[] Path, List<ExportClient> Clients, int Line)>();
        while (reader.Next() is { } next)
        {
            byte[] path;
            try
            {
                path = ExportPath.Normalize(next.Path);
            }
            catch (ExportsFormatException error)
            {
                throw reader.At(next.Line, error.Message);
            }
            int same = found.FindIndex(export => export.Path.AsSpan().SequenceEqual(path));
            if (same < 0)
                found.Add((path, next.Clients, next.Line));
            else
                found[same].Clients.AddRange(next.Clients);
        }

        var exports = new List<Export>(found.Count);
        foreach ((byte[] path, List<ExportClient> clients, int line) in found)
        {
            try
            {
                exports.Add(new Export(path, clients, names));
            }
            catch (ExportsFormatException error)
            {
                throw reader.At(line, error.Message);
            }
        }
        return exports;
    }

    /// <summary>
    /// Reads an export as the command line gives it: <c>PATH[:options]</c>, to everyone who can reach the server, as
    /// <c>/srv:rw,no_root_squash,insecure</c>. A relative path starts at the current directory.
    /// </summary>
    /// <remarks>What follows the last colon is options unless it has a slash in it: a path that ends with a colon and a word needs a colon behind it.</remarks>
    /// <exception cref="ExportsFormatException">It cannot be understood; the message names the word.</exception>
    public static Export ParseArgument(string argument)
    {
        ArgumentNullException.ThrowIfNull(argument);
        int colon = argument.LastIndexOf(':');
        bool hasOptions = colon >= 0 && !argument.AsSpan(colon).Contains('/');
        string path = hasOptions ? argument[..colon] : argument;
        if (path.Length == 0)
            throw new ExportsFormatException($"--export {argument}: the path is missing.");
        try
        {
            ExportOptions options = ExportOptionsParser.Parse(hasOptions ? argument[(colon + 1)..] : "", ExportOptions.Default);
            return new Export(Encoding.UTF8.GetBytes(Path.GetFullPath(path)), [ExportClient.Parse("*", options)]);
        }
        catch (ExportsFormatException error)
        {
            throw new ExportsFormatException($"--export {argument}: {error.Message}.", error);
        }
    }
}
