using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Kworker.Nfsd.Exports;

/// <summary>An exported directory: its path, and which clients get it how. Thread-safe.</summary>
[DebuggerDisplay("{Path}")]
public sealed class Export
{
    // A rule that goes by names is asked for once in this time per client; it bounds how long a changed name goes unnoticed. As mountd's.
    private static readonly TimeSpan s_answerLifetime = TimeSpan.FromMinutes(30);
    private const int MaxAnswers = 4096;

    private readonly ExportClient[] _clients; // By precedence.
    private readonly byte[] _path;
    private readonly IHostNames _names;
    private readonly TimeProvider _time;
    private readonly Dictionary<IPAddress, (ExportOptions? Options, long At)>? _answers; // Guarded by itself; null if no rule goes by name.

    /// <summary>Exports <paramref name="path"/> to <paramref name="clients"/>.</summary>
    /// <param name="path">Absolute, in bytes; slashes too many are dropped.</param>
    /// <param name="clients">Who gets it; at least one.</param>
    /// <param name="names">The name service; the system's if null.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <exception cref="ExportsFormatException">The path is not absolute or has "." or ".." in it, or the <c>fsid</c> options contradict one another.</exception>
    public Export(ReadOnlySpan<byte> path, IEnumerable<ExportClient> clients, IHostNames? names = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(clients);
        _path = ExportPath.Normalize(path);
        Path = ExportPath.Show(_path);
        _clients = [.. clients.OrderBy(client => client.Specificity)]; // A stable sort: among equals the first on the line.
        if (_clients.Length == 0)
            throw new ArgumentException($"'{Path}' is exported to nobody.", nameof(clients));
        _names = names ?? SystemHostNames.Instance;
        _time = time ?? TimeProvider.System;
        if (_clients.Any(client => client.NeedsNames))
            _answers = [];
        Id = MakeId();
    }

    /// <summary>The directory, absolute, no slash at the end (but for "/"): what clients mount.</summary>
    public ReadOnlySpan<byte> PathBytes => _path;

    /// <summary>The same for logs and system calls that take text; bytes that are not UTF-8 show as <c>\ooo</c>.</summary>
    public string Path { get; }

    /// <summary>Who gets it, most specific first.</summary>
    public IReadOnlyList<ExportClient> Clients => _clients;

    /// <summary>Number of the export in file handles: <c>fsid=</c> if given, else made of the path, so that it is the same after a restart.</summary>
    public uint Id { get; }

    /// <summary>Whether every client has <c>async</c>: see <see cref="ExportOptions.IsAsync"/>.</summary>
    public bool IsAsync => _clients.All(client => client.Options.IsAsync);

    /// <summary>What <paramref name="client"/> is granted, by the most specific rule that it matches; null if nothing.</summary>
    /// <remarks>Fast enough for every request; rules that go by host name are asked at most every 30 minutes per client.</remarks>
    public ExportOptions? Match(IPAddress client)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (client.IsIPv4MappedToIPv6)
            client = client.MapToIPv4();
        if (client.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && client.ScopeId != 0)
            client = new IPAddress(client.GetAddressBytes()); // The interface it came by is no part of who it is.
        if (_answers is null)
            return FirstMatch(client);

        lock (_answers)
        {
            if (_answers.TryGetValue(client, out var answer) && _time.GetElapsedTime(answer.At) < s_answerLifetime)
                return answer.Options;
        }
        ExportOptions? options = FirstMatch(client); // Outside the lock: the name service may take its time.
        lock (_answers)
        {
            if (_answers.Count >= MaxAnswers)
                _answers.Clear(); // A flood of clients costs look-ups, not memory.
            _answers[client] = (options, _time.GetTimestamp());
        }
        return options;
    }

    private ExportOptions? FirstMatch(IPAddress client)
    {
        foreach (ExportClient rule in _clients)
        {
            if (rule.Matches(client, _names))
                return rule.Options;
        }
        return null;
    }

    private uint MakeId()
    {
        string[] given = [.. _clients.Select(client => client.Options.FileSystemId).OfType<string>().Distinct()];
        return given switch
        {
            [] => Hash(_path),
            ["root"] => 0,
            [string fsid] when uint.TryParse(fsid, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) => number,
            [string uuid] => Hash(Encoding.UTF8.GetBytes(uuid)),
            _ => throw new ExportsFormatException($"'{Path}' has several values of fsid: {string.Join(", ", given)}"),
        };
    }

    private static uint Hash(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(bytes));
}
