namespace Kworker.Interop.Peers;

/// <summary>A unit file of <c>packaging/systemd</c>: its directives.</summary>
internal sealed class ServiceUnit
{
    private readonly ILookup<string, string> _values;

    private ServiceUnit(string path)
    {
        Path = path;
        _values = File.ReadLines(path)
            .Where(line => line.Length > 0 && line[0] is not ('#' or '[') && line.Contains('='))
            .ToLookup(line => line[..line.IndexOf('=')], line => line[(line.IndexOf('=') + 1)..]);
    }

    public static ServiceUnit Service { get; } = new(PathOf("kworker-nfsd.service"));

    public string Path { get; }

    public static string PathOf(string name) => System.IO.Path.Combine(Machine.Repository, "packaging", "systemd", name);

    /// <summary>The one value of a directive.</summary>
    public string this[string directive] => _values[directive].Single();

    /// <summary>The words of a directive.</summary>
    public string[] Words(string directive) => this[directive].Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
