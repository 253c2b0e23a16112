using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Kworker.Apps.Nfsd;
using Kworker.Apps.Nfsd.Page;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Kworker.StatePage;

namespace Kworker.Nfsd.Tests.App;

/// <summary>What a server tells of itself: its page, its metrics, and the terminal.</summary>
public sealed class StatePageTests : IDisposable
{
    private const string HostileName = "<img src=x onerror=alert(1)>\"'\u001b[2J";

    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _state = new();
    private readonly Termination _termination = new();
    private readonly Lines _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _termination.Dispose();
        _state.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Exports_clients_locks_and_the_record_are_on_the_page_and_in_the_terminal_whatever_clients_call_themselves()
    {
        Task<int> server = Start("--http", "0");
        int port = PortOf(await NextLine(server));
        string page = (await NextLine(server))["nfsd: state page: ".Length..];
        using var client = new Nfs4Client(new IPEndPoint(IPAddress.Loopback, port));
        Introduce(client, HostileName);
        using (var older = new Nfs3Client(new IPEndPoint(IPAddress.Loopback, port)))
            older.MustMount(_directory.Path);

        using var http = new HttpClient { BaseAddress = new Uri(page) };
        string html = await http.GetStringAsync(new Uri("/", UriKind.Relative));
        Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        Assert.Contains("\\x1b[2J", html, StringComparison.Ordinal);
        Assert.Contains(_directory.Path, html, StringComparison.Ordinal);
        Assert.Contains("*(rw,insecure,no_root_squash,sync)", html, StringComparison.Ordinal);
        Assert.Contains("kworker_work_queued_total{kworker_workqueue=\"nfsd4\"}", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
        StateDocument document = JsonSerializer.Deserialize(await http.GetStringAsync(new Uri("/state.json", UriKind.Relative)), StateJson.Default.StateDocument)!;
        AssertIsWhole(document);
        using (HttpResponseMessage response = await http.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "evil.example" } }))
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);

        (int exit, string status) = await Run("status", "--state", _state.Path, "--json");
        Assert.Equal(0, exit);
        AssertIsWhole(JsonSerializer.Deserialize(status, StateJson.Default.StateDocument)!);
        (exit, status) = await Run("status", "--state", _state.Path);
        Assert.Equal(0, exit);
        Assert.Contains("<img src=x", status, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[2J", status, StringComparison.Ordinal);

        // Not to a terminal: one state after the other, until the server ends.
        var shown = new Lines();
        Task<int> top = Program.RunAsync(["top", "--state", _state.Path], shown, _error, _termination);
        await shown.Reader.ReadAsync();
        _termination.Request();
        Assert.Equal(0, await server);
        Assert.Equal(0, await top);
        Assert.False(File.Exists(Path.Combine(_state.Path, "control")));
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task The_socket_of_a_server_that_was_killed_is_taken_over_and_shut_to_others()
    {
        string path = Path.Combine(_state.Path, "control");
        await File.WriteAllTextAsync(path, "");
        Task<int> server = Start();
        await NextLine(server);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(0, (await Run("status", "--state", _state.Path)).Exit);
        _termination.Request();
        Assert.Equal(0, await server);
    }

    [Fact]
    public async Task With_a_password_nobody_sees_anything_without_it()
    {
        string file = Path.Combine(_state.Path, "password");
        await File.WriteAllTextAsync(file, "correct horse\n");
        Task<int> server = Start("--http", "0", "--http-password-file", file);
        await NextLine(server);
        using var http = new HttpClient { BaseAddress = new Uri((await NextLine(server))["nfsd: state page: ".Length..]) };
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await StatusOf(null), await StatusOf("nfsd:wrong")));
        Assert.Equal(HttpStatusCode.OK, await StatusOf("nfsd:correct horse"));
        _termination.Request();
        Assert.Equal(0, await server);

        async Task<HttpStatusCode> StatusOf(string? password)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            if (password is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(password)));
            using HttpResponseMessage response = await http.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Without_a_server_it_says_where_it_asked()
    {
        (int exit, _) = await Run("status", "--state", _state.Path);
        Assert.Equal(1, exit);
        string line = Assert.Single(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"nfsd status: no server answers at {_state.Path}/control", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8049", "127.0.0.1", 8049)]
    [InlineData("localhost:0", "127.0.0.1", 0)]
    [InlineData("192.0.2.1:80", "192.0.2.1", 80)]
    [InlineData("[::1]:80", "::1", 80)]
    [InlineData("::1", null, 0)]
    [InlineData("host:80", null, 0)]
    [InlineData("70000", null, 0)]
    [InlineData("", null, 0)]
    public void An_address_is_a_port_or_both(string word, string? address, int port)
    {
        (IPAddress Address, int Port)? due = address is null ? null : (IPAddress.Parse(address), port);
        Assert.Equal(due, HttpEndPoint.Parse(word));
    }

    private static void AssertIsWhole(StateDocument document)
    {
        Assert.Equal("nfsd", document.Title);
        Assert.Equal(["server", "clients", "locks", "record", "queues"], document.Sections.Select(static section => section.Id).Take(5));
        Assert.Equal("over", document.Sections[0].Facts.Single(static fact => fact.Name == "Grace").Value.Text);
        StateTable[] clients = [.. document.Sections[1].Tables];
        Assert.StartsWith("<img src=x", Assert.Single(clients[0].Rows).Cells[0].Text, StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", Assert.Single(clients[2].Rows).Cells[0].Text);
    }

    /// <summary>SETCLIENTID and SETCLIENTID_CONFIRM.</summary>
    private static void Introduce(Nfs4Client client, string name)
    {
        byte[] set = new XdrBytes().U64(1).Opaque(Encoding.Latin1.GetBytes(name)).U32(0x40000000).Opaque("tcp"u8).Opaque("127.0.0.1.0.0"u8).U32(1).ToArray();
        Reply4 reply = client.Send(Nfs4Client.Compound(0, "set"u8, new Op4(35, set)));
        Assert.Equal(0u, reply.Status);
        reply.Body.U32();
        reply.Body.U32();
        byte[] confirm = new XdrBytes().U64(reply.Body.U64()).U64(reply.Body.U64()).ToArray();
        Assert.Equal(0u, client.Send(Nfs4Client.Compound(0, "confirm"u8, new Op4(36, confirm))).Status);
    }

    private static int PortOf(string line) => int.Parse(line.Split("127.0.0.1:")[1].Split(',')[0], null);

    private Task<int> Start(params string[] more) => Program.RunAsync(
        ["--export", $"{_directory.Path}:rw,insecure,no_root_squash", "--port", "0", "--bind", "127.0.0.1", "--state", _state.Path, "--rpcbind", "none", "--log-level", "none", .. more],
        _output, _error, _termination);

    private async Task<string> NextLine(Task server)
    {
        Task<string> line = _output.Reader.ReadAsync().AsTask();
        await Task.WhenAny(server, line);
        Assert.False(server.IsCompleted, _error.ToString());
        return await line;
    }

    private async Task<(int Exit, string Output)> Run(params string[] arguments)
    {
        using var termination = new Termination();
        var output = new StringWriter();
        int exit = await Program.RunAsync(arguments, output, _error, termination);
        return (exit, output.ToString());
    }
}
