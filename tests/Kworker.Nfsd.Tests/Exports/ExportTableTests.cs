using System.Net;
using System.Text;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.Exports;

public sealed class ExportTableTests
{
    private sealed class Names : IHostNames
    {
        public Dictionary<string, string> Hosts { get; } = new()
        {
            ["one.example.org"] = "192.0.2.1",
            ["two.lab.example.org"] = "192.0.2.2",
            ["liar.example.org"] = "192.0.2.99",
        };

        public int Questions { get; private set; }

        public string? NameOf(IPAddress address)
        {
            Questions++;
            return address.ToString() switch
            {
                "192.0.2.3" => "liar.example.org",
                string known => Hosts.FirstOrDefault(host => host.Value == known).Key,
            };
        }

        public IReadOnlyCollection<IPAddress> AddressesOf(string name)
        {
            Questions++;
            return Hosts.TryGetValue(name, out string? address) ? [IPAddress.Parse(address)] : [];
        }
    }

    private static IReadOnlyList<Export> Parse(string text, IHostNames? names = null) =>
        ExportTable.Parse(Encoding.Latin1.GetBytes(text), "exports", names ?? new Names());

    private static ExportOptions? Match(Export export, string client) => export.Match(IPAddress.Parse(client));

    [Fact]
    public void Defaults_are_those_of_exports_5()
    {
        Export export = Assert.Single(Parse("/srv 192.0.2.1"));
        ExportOptions options = Match(export, "192.0.2.1")!;
        Assert.True(options.IsReadOnly);
        Assert.True(options.RequiresPrivilegedPort);
        Assert.False(options.IsAsync);
        Assert.Equal(Squash.Root, options.Squash);
        Assert.Equal(65534u, options.AnonymousUid);
        Assert.Equal(65534u, options.AnonymousGid);
        Assert.Null(Match(export, "192.0.2.2"));
    }

    [Fact]
    public void The_example_of_the_manual_page_reads()
    {
        // From the EXAMPLE of exports(5), without its netgroup and its kerberos lines.
        IReadOnlyList<Export> exports = Parse("""
            # sample /etc/exports file
            /               one.example.org(rw) trusty.example.org(rw,no_root_squash)
            /projects       proj*.local.domain(rw)
            /usr            *.local.domain(ro)
            /home/joe       pc001.example.org(rw,all_squash,anonuid=150,anongid=100)
            /pub            *(ro,insecure,all_squash)
            /srv/www        -sync,rw 192.0.2.0/24 2001:db8:9:e54::/64 192.0.2.200
            "/with blank"   192.0.2.0/255.255.255.0(rw)
            /oct\040al\377  *(rw)
            /build          buildhost[0-9].local.domain(rw)
            """.Split('\n').Where(line => !line.Contains('[', StringComparison.Ordinal)).Aggregate((a, b) => a + "\n" + b));
        Assert.Equal(
            ["/", "/projects", "/usr", "/home/joe", "/pub", "/srv/www", "/with blank", "/oct al\\377"], exports.Select(export => export.Path));
        Assert.Equal("/oct al\u00ff"u8.Length - 1, exports[7].PathBytes.Length);
        Assert.Equal(0xff, exports[7].PathBytes[^1]);
        Assert.Equal(150u, exports[3].Clients[0].Options.AnonymousUid);
        Assert.False(Match(exports[5], "2001:db8:9:e54::7")!.IsReadOnly);
        Assert.Null(Match(exports[5], "2001:db8:9:e55::7"));
        Assert.NotNull(Match(exports[6], "192.0.2.77"));
        Assert.NotNull(Match(exports[5], "::ffff:192.0.2.5"));
    }

    [Fact]
    public void The_most_specific_client_wins_whatever_its_place()
    {
        Export export = Assert.Single(Parse("/srv *(ro) *.example.org(rw,anonuid=3) 192.0.2.0/24(rw,anonuid=2) one.example.org(rw,anonuid=1)"));
        Assert.Equal(1u, Match(export, "192.0.2.1")!.AnonymousUid);
        Assert.Equal(2u, Match(export, "192.0.2.2")!.AnonymousUid);
        Assert.True(Match(export, "198.51.100.1")!.IsReadOnly);
    }

    [Fact]
    public void A_name_counts_only_if_it_leads_back_to_the_address()
    {
        Export export = Assert.Single(Parse("/srv *.example.org(rw)"));
        Assert.NotNull(Match(export, "192.0.2.2"));
        Assert.Null(Match(export, "192.0.2.3"));
    }

    [Fact]
    public void The_name_service_is_asked_once_per_client()
    {
        var names = new Names();
        Export export = Assert.Single(Parse("/srv *.example.org(rw)", names));
        Match(export, "192.0.2.2");
        int asked = names.Questions;
        Match(export, "192.0.2.2");
        Assert.Equal(asked, names.Questions);
    }

    [Fact]
    public void Comments_continuations_and_default_options_are_read()
    {
        IReadOnlyList<Export> exports = Parse("# head\n/a -rw,insecure \\\n  192.0.2.1 # tail\n\n   \n/b\n/a 192.0.2.2(ro)");
        Assert.Equal(["/a", "/b"], exports.Select(export => export.Path));
        Assert.False(Match(exports[0], "192.0.2.1")!.IsReadOnly);
        Assert.True(Match(exports[0], "192.0.2.2")!.IsReadOnly);
        Assert.Equal("*", exports[1].Clients[0].Pattern);
    }

    [Theory]
    [InlineData("/srv *(rw,frobnicate)", "exports:1: unknown option 'frobnicate'.")]
    [InlineData("/a\n/srv *(rw,crossmnt)", "exports:2: option 'crossmnt' is not supported")]
    [InlineData("/srv @staff(rw)", "netgroup '@staff' is not supported")]
    [InlineData("/srv *(anonuid=joe)", "'joe' is no user or group number")]
    [InlineData("/srv *(sec=krb5)", "the server knows sec=sys")]
    [InlineData("/srv *(rw", "must end with ')'")]
    [InlineData("/srv host (rw)", "'(rw)' stands apart from its client")]
    [InlineData("/srv 192.0.2.0/33", "a prefix of 33 bits is too long")]
    [InlineData("/srv 192.0.2.0/255.0.255.0", "has holes")]
    [InlineData("srv *(rw)", "exports:1: 'srv' is no absolute path")]
    [InlineData("/srv/../etc *(rw)", "has '..' in it")]
    [InlineData("\"/srv *(rw)", "a quote is not closed")]
    [InlineData("/srv *(ro=1)", "takes no value")]
    [InlineData("/srv *(fsid=1) 192.0.2.1(fsid=2)", "several values of fsid: 2, 1")]
    public void What_is_wrong_is_named_with_its_place(string text, string message) =>
        Assert.Contains(message, Assert.Throws<ExportsFormatException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_argument_form_gives_everyone_the_options()
    {
        Export export = ExportTable.ParseArgument("/srv:rw,no_root_squash,insecure");
        ExportOptions options = Match(export, "192.0.2.9")!;
        Assert.Equal("/srv", export.Path);
        Assert.False(options.IsReadOnly);
        Assert.False(options.RequiresPrivilegedPort);
        Assert.Equal(Squash.None, options.Squash);
        Assert.Equal("/a:b/c", ExportTable.ParseArgument("/a:b/c").Path);
        Assert.Equal(Directory.GetCurrentDirectory(), ExportTable.ParseArgument(".").Path);
        Assert.Contains("--export /srv:rq: unknown option 'rq'", Assert.Throws<ExportsFormatException>(
            () => ExportTable.ParseArgument("/srv:rq")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_most_specific_export_is_found()
    {
        var table = new ExportTable(Parse("/srv *\n/srv/deep *\n/other *"));
        Assert.Equal("/srv/deep", table.Find("/srv//deep/er/x/"u8, out byte[] below)!.Path);
        Assert.Equal("er/x"u8, below);
        Assert.Equal("/srv", table.Find("/srv/deeper"u8, out below)!.Path);
        Assert.Equal("deeper"u8, below);
        Assert.Null(table.Find("/srvx"u8, out _));
        Assert.Null(table.Find("/srv/../other"u8, out _));
        Assert.Same(table.Exports[2], table.Find(table.Exports[2].Id));
    }

    [Fact]
    public void Ids_stay_the_same_and_never_clash()
    {
        Assert.Equal(Parse("/srv *")[0].Id, Parse("/a *\n/srv/ 192.0.2.1")[1].Id);
        Assert.Equal(7u, Parse("/srv *(fsid=7)")[0].Id);
        Assert.Equal(0u, Parse("/srv *(fsid=root)")[0].Id);
        Assert.Throws<ExportsFormatException>(() => new ExportTable(Parse("/a *(fsid=7)\n/b *(fsid=7)")));
    }

    [Fact]
    public void Squashing_maps_as_exports_5_says()
    {
        var root = new NfsCredentials(0, 0, 0, 5);
        var user = new NfsCredentials(1000, 1000, 5);
        var wheel = new NfsCredentials(1000, 0, 0, 5);
        ExportOptions options = ExportOptions.Default with { AnonymousUid = 33, AnonymousGid = 34 };

        NfsCredentials squashed = options.Apply(root);
        Assert.Equal((33u, 34u), (squashed.Uid, squashed.Gid));
        Assert.Equal([34, 5], squashed.Groups.ToArray());
        Assert.Same(user, options.Apply(user));
        Assert.Equal((1000u, 34u), (options.Apply(wheel).Uid, options.Apply(wheel).Gid));
        Assert.False(options.Apply(wheel).IsInGroup(0));
        Assert.Same(root, (options with { Squash = Squash.None }).Apply(root));

        NfsCredentials all = (options with { Squash = Squash.All }).Apply(user);
        Assert.Equal((33u, 34u, 0), (all.Uid, all.Gid, all.Groups.Length));
        Assert.Equal(33u, (options with { Squash = Squash.None }).Apply(null).Uid);
    }
}
