using System.Globalization;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The Linux kernel's own client, booted in an emulator: it mounts by each version and runs the scripts in <c>guest/</c>.</summary>
public sealed class LinuxKernelClientTests
{
    [Theory]
    [InlineData("3")]
    [InlineData("4.0", Traits = ["Run", "full"])]
    [InlineData("4.1", Traits = ["Run", "full"])]
    public Task A_tree_is_read_back_as_it_was_copied_in(string version) => CopyTreeAsync(version, files: 300);

    [Theory, Trait("Run", "full")]
    [InlineData("3")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public Task A_tree_of_2000_files_is_read_back_as_it_was_copied_in_and_removed(string version) => CopyTreeAsync(version, files: 2000, "and-remove");

    [Theory]
    [InlineData("3", 3000)]
    [InlineData("4.0", 300)]
    [InlineData("4.1", 300)]
    public Task Files_behave_as_programs_expect(string version, int many) => OperationsAsync(version, many);

    [Theory, Trait("Run", "full")]
    [InlineData("3")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public Task A_directory_of_100000_files_is_listed_too(string version) => OperationsAsync(version, many: 100_000);

    private static async Task OperationsAsync(string version, int many)
    {
        LinuxGuest.Need();
        await using var server = await NfsServer.StartAsync();
        Directory.CreateDirectory(server.PathOf("many"));
        for (var i = 0; i < many; i++)
            File.Create(server.PathOf($"many/file-{i}")).Dispose();

        await using var guest = LinuxGuest.Start(server, version, "operations.sh", [$"{many}"]);
        var values = await guest.EndsWellAsync(checks: 64);

        var disk = new DriveInfo(server.Export);
        var blocks = values["blocks"].Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        // The client counts in blocks of its own size: it may be off by one of them.
        Assert.InRange(disk.TotalSize - (blocks[0] * blocks[1]), -blocks[1], blocks[1]);
        Assert.InRange(disk.TotalSize - (long.Parse(values["df"], CultureInfo.InvariantCulture) * 1024), -blocks[1], blocks[1]);
        Assert.Equal(0, await server.StopAsync());
    }

    private static async Task CopyTreeAsync(string version, int files, params string[] more)
    {
        LinuxGuest.Need();
        using var local = new TemporaryDirectory();
        var tree = local.Folder("tree");
        Busybox("make-tree.sh", tree, $"{files}").Succeeds();
        var archive = Path.Combine(local.Path, "tree.tar");
        Command.Run("tar", ["-C", tree, "-cf", archive, "."]).Succeeds();

        await using var server = await NfsServer.StartAsync();
        await using var guest = LinuxGuest.Start(server, version, "tree.sh", more, archive);
        await guest.EndsWellAsync(checks: 4);

        var copied = Busybox("manifest.sh", server.PathOf(more.Length == 0 ? "copy" : "second")).Succeeds().Output;
        Assert.Equal(copied, File.ReadAllText(server.PathOf("manifest")));
        // The guest's tar is no judge of directories' times.
        Assert.Equal(WithoutDirectories(Busybox("manifest.sh", tree).Succeeds().Output), WithoutDirectories(copied));
        Assert.Equal(0, await server.StopAsync());
    }

    private static IEnumerable<string> WithoutDirectories(string manifest) =>
        manifest.Split('\n').Where(line => line.Split(' ') is not [_, ['4', ..], ..]);

    /// <summary>Runs one of the guest's scripts here, with the guest's shell and tools.</summary>
    private static Command Busybox(string script, params string[] arguments) => Command.Run(
        Machine.NeedCommand("busybox", "busybox-static"), ["sh", Path.Combine(LinuxGuest.Scripts, script), .. arguments],
        new Dictionary<string, string> { ["TZ"] = "UTC" });
}
