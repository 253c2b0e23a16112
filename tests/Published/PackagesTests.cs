using System.IO.Compression;
using System.Xml.Linq;

namespace Kworker.Published;

/// <summary>The packages as users get them: complete, and a fresh program that knows nothing of this tree is made with them.</summary>
public sealed class PackagesTests(PackagesTests.Packed packed) : IClassFixture<PackagesTests.Packed>
{
    /// <summary>All packages in a folder, made of what was built with the tests.</summary>
    public sealed class Packed : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kworker-packages-");

        public Packed()
        {
            Folder = Path.Combine(_directory.FullName, "feed");
            (int code, string output) = Tree.Run(
                "dotnet", "pack", Path.Combine(Tree.Root, "Kworker.slnx"), "--no-build", "-c", Tree.Configuration, "-o", Folder, "-nologo", "-nodeReuse:false");
            Assert.True(code == 0, output);
            Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);
        }

        public string Folder { get; }

        public string NewFolder(string name) => _directory.CreateSubdirectory(name).FullName;

        public void Dispose() => _directory.Delete(recursive: true);
    }

    [Fact]
    public void Every_project_that_users_refer_to_is_a_package_with_all_that_belongs_to_it()
    {
        string[] projects =
        [
            .. Directory.GetFiles(Path.Combine(Tree.Root, "src"), "*.csproj", SearchOption.AllDirectories)
                .Where(project => !File.ReadAllText(project).Contains("<IsPackable>false", StringComparison.Ordinal))
                .Select(project => Path.GetFileNameWithoutExtension(project))
                .Order(),
        ];
        string[] packages = [.. Directory.GetFiles(packed.Folder, "*.nupkg").Select(package => Id(package)).Order()];
        Assert.Equal(projects, packages);

        foreach (string package in Directory.GetFiles(packed.Folder, "*.nupkg"))
        {
            string id = Id(package);
            using ZipArchive zip = ZipFile.OpenRead(package);
            foreach (string part in (string[])["README.md", "icon.png", $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"])
                Assert.True(zip.GetEntry(part) is { Length: > 100 }, $"{id} has no {part}");
            XElement metadata = MetadataOf(zip, id);
            Assert.Equal("MIT", Value(metadata, "license"));
            Assert.True(Value(metadata, "description").Length > 20, id);
            Assert.Matches("^[0-9a-f]{40}$", metadata.Elements().Single(element => element.Name.LocalName == "repository").Attribute("commit")?.Value ?? "");

            using ZipArchive symbols = ZipFile.OpenRead(Path.ChangeExtension(package, ".snupkg"));
            Assert.True(symbols.GetEntry($"lib/net10.0/{id}.pdb") is { Length: > 1000 }, $"{id} has no symbols");
        }
    }

    [Fact]
    public void The_library_depends_on_nothing()
    {
        using ZipArchive zip = ZipFile.OpenRead(Directory.GetFiles(packed.Folder, "Kworker.*.nupkg").Single(package => Id(package) == "Kworker"));
        Assert.DoesNotContain(MetadataOf(zip, "Kworker").Descendants(), element => element.Name.LocalName == "dependency");
    }

    [Fact]
    public void A_fresh_program_runs_the_guides_first_example()
    {
        string guide = File.ReadAllText(Path.Combine(Tree.Root, "docs", "guide.md"));
        int start = guide.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        string example = guide[start..guide.IndexOf("```", start, StringComparison.Ordinal)];
        Assert.Contains("class Mailer", example, StringComparison.Ordinal);

        string output = RunFresh(
            "first",
            "Kworker",
            $$"""
            using Kworker;

            await using (var mailer = new Mailer(Console.WriteLine))
            {
                for (int i = 1; i <= 3; i++)
                    mailer.Send(new Message($"mail {i}"));
            }
            Console.WriteLine("all are sent");

            public sealed record Message(string Text)
            {
                public void Send() => Console.WriteLine(Text);
            }

            {{example}}
            """);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("all are sent", lines[^1]);
        Assert.Equal(["mail 1", "mail 2", "mail 3"], lines[..^1].Order());
    }

    [Fact]
    public void A_fresh_host_works_in_the_background()
    {
        string output = RunFresh(
            "host",
            "Kworker.Hosting",
            """
            using Kworker.Hosting;
            using Microsoft.Extensions.DependencyInjection;
            using Microsoft.Extensions.Hosting;

            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Services.AddKworker().WithOpenTelemetry();
            using IHost host = builder.Build();
            await host.StartAsync();
            await host.Services.GetRequiredService<IBackgroundQueue>().QueueAsync(async token =>
            {
                await Task.Yield();
                Console.WriteLine("in the background");
            });
            await host.StopAsync();
            """);
        Assert.Equal("in the background", output.Trim());
    }

    [Fact]
    public void A_fresh_program_serves_a_directory()
    {
        string output = RunFresh(
            "server",
            "Kworker.Nfsd",
            """
            using Kworker.Nfsd;
            using Kworker.Nfsd.FileSystem.Local;
            using Kworker.SunRpc;

            string export = Directory.CreateDirectory("export").FullName;
            using LocalFileSystem directory = LocalFileSystem.Open(export);
            await using var server = new NfsServer(new NfsServerOptions
            {
                Port = 0,
                Rpcbind = RpcbindMode.None,
                StateDirectory = Directory.CreateDirectory("state").FullName,
                Exports = { NfsExport.Parse($"{export}:rw,insecure", directory) },
            });
            await server.StartAsync();
            Console.WriteLine(server.Port > 0 ? "serves" : "does not serve");
            """);
        Assert.Equal("serves", output.Trim());
    }

    /// <summary>Makes a program as a user does, with a package from the folder and nothing of the tree, and runs it.</summary>
    private string RunFresh(string name, string package, string program)
    {
        string directory = packed.NewFolder(name);
        // What others have written comes from where this machine has it already; ours from the folder alone, into a cache that is thrown away.
        string known = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(
            Path.Combine(directory, "nuget.config"),
            $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{packed.Folder}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="known" value="{known}" /></fallbackPackageFolders>
            </configuration>
            """);
        File.WriteAllText(
            Path.Combine(directory, "fresh.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <RestorePackagesPath>{directory}/packages</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{package}" Version="{VersionOf(package)}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(directory, "Program.cs"), program);
        (int code, string output) = Tree.RunIn(directory, "dotnet", "build", "-nologo", "-v", "quiet", "-nodeReuse:false", "-o", "out");
        Assert.True(code == 0, output);
        (code, output) = Tree.RunIn(directory, Path.Combine(directory, "out", "fresh"));
        Assert.True(code == 0, output);
        return output;
    }

    private string VersionOf(string id)
    {
        string package = Directory.GetFiles(packed.Folder, "*.nupkg").Single(package => Id(package) == id);
        using ZipArchive zip = ZipFile.OpenRead(package);
        return Value(MetadataOf(zip, id), "version");
    }

    /// <summary>A package's name without its version.</summary>
    private static string Id(string package) =>
        string.Join('.', Path.GetFileNameWithoutExtension(package).Split('.').TakeWhile(word => !char.IsAsciiDigit(word[0])));

    private static XElement MetadataOf(ZipArchive zip, string id)
    {
        using Stream stream = zip.GetEntry($"{id}.nuspec")!.Open();
        return XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    }

    private static string Value(XElement metadata, string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
}
