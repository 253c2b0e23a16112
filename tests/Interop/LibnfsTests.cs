using System.Security.Cryptography;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>libnfs, an NFS client of its own in user space, by its commands.</summary>
public sealed class LibnfsTests : IAsyncLifetime
{
    private NfsServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Machine.NeedCommand("nfs-ls", "libnfs-utils");
        _server = await NfsServer.StartAsync();
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;

    [Fact]
    public void I_can_list_a_directory()
    {
        Directory.CreateDirectory(_server.PathOf("folder/below"));
        File.WriteAllText(_server.PathOf("folder/some file"), "12345");
        File.CreateSymbolicLink(_server.PathOf("folder/link"), "some file");

        var lines = List("folder").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries)).ToDictionary(words => words[5]);

        Assert.Equal(["below", "link", "some file"], lines.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("drwx", lines["below"][0], StringComparison.Ordinal);
        Assert.StartsWith("l", lines["link"][0], StringComparison.Ordinal);
        Assert.StartsWith("-rw-", lines["some file"][0], StringComparison.Ordinal);
        Assert.Equal("5", lines["some file"][4]);
    }

    [Fact]
    public void I_can_read_a_file()
    {
        File.WriteAllText(_server.PathOf("poem"), "Über allen Gipfeln\nist Ruh\n");
        Assert.Equal("Über allen Gipfeln\nist Ruh\n", Command.Run("nfs-cat", [_server.Url("poem")]).Succeeds().Output);
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error()
    {
        var command = Command.Run("nfs-cat", [_server.Url("nothing")]);
        Assert.NotEqual(0, command.ExitCode);
        Assert.Contains("NOENT", command.Output + command.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_not_exported_is_refused()
    {
        var command = Command.Run("nfs-ls", [_server.Url().Replace(_server.Export, "/etc", StringComparison.Ordinal)]);
        Assert.NotEqual(0, command.ExitCode);
    }

    [Fact]
    public void A_gibibyte_comes_back_as_it_went()
    {
        using var local = new TemporaryDirectory();
        var source = Path.Combine(local.Path, "source");
        var due = WriteRandom(source, 1L << 30);

        Command.Run("nfs-cp", [source, _server.Url("large")]).Succeeds();
        Assert.Equal(due, Sum(_server.PathOf("large")));

        var back = Path.Combine(local.Path, "back");
        Command.Run("nfs-cp", [_server.Url("large"), back]).Succeeds();
        Assert.Equal(due, Sum(back));
    }

    [Fact]
    public async Task Several_clients_read_and_write_at_a_time()
    {
        using var local = new TemporaryDirectory();
        const int Clients = 6;
        var due = Enumerable.Range(0, Clients).Select(i => WriteRandom(Path.Combine(local.Path, $"{i}"), (8 << 20) + i)).ToList();

        await Parallel.ForAsync(0, Clients, (i, _) =>
        {
            Command.Run("nfs-cp", [Path.Combine(local.Path, $"{i}"), _server.Url($"{i}")]).Succeeds();
            Command.Run("nfs-cp", [_server.Url($"{i}"), Path.Combine(local.Path, $"back-{i}")]).Succeeds();
            return ValueTask.CompletedTask;
        });

        Assert.Equal(due, Enumerable.Range(0, Clients).Select(i => Sum(Path.Combine(local.Path, $"back-{i}"))));
    }

    [Fact]
    public void A_large_directory_is_listed_whole_and_each_name_once() => ListMany(10_000);

    [Fact, Trait("Run", "full")]
    public void A_directory_of_100000_files_is_listed_whole_and_each_name_once() => ListMany(100_000);

    private void ListMany(int files)
    {
        Directory.CreateDirectory(_server.PathOf("many"));
        for (var i = 0; i < files; i++)
            File.Create(_server.PathOf($"many/file-{i}")).Dispose();

        var names = List("many").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[5]).Order(StringComparer.Ordinal);
        Assert.Equal(Enumerable.Range(0, files).Select(i => $"file-{i}").Order(StringComparer.Ordinal), names);
    }

    private static string Sum(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file));
    }

    /// <summary>Fills <paramref name="path"/> with <paramref name="length"/> random bytes; their SHA-256.</summary>
    private static string WriteRandom(string path, long length)
    {
        using var file = File.Create(path);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(1813);
        var piece = new byte[1 << 20];
        for (var left = length; left > 0; left -= piece.Length)
        {
            random.NextBytes(piece);
            var part = piece.AsSpan(0, (int)Math.Min(left, piece.Length));
            file.Write(part);
            sum.AppendData(part);
        }

        return Convert.ToHexString(sum.GetHashAndReset());
    }

    private string[] List(string directory) =>
        Command.Run("nfs-ls", [_server.Url(directory)]).Succeeds().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
