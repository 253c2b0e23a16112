using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Kworker.StatePage.Tests;

/// <summary>Who may see the page, and what it lets a browser do.</summary>
public sealed partial class AccessTests
{
    private static readonly string[] s_paths = ["", "/", "/state.json", "/metrics", "/events", "/page.js", "/page.css", "/icon.svg"];

    private static readonly IPAddress s_stranger = IPAddress.Parse("192.0.2.7");

    public static TheoryData<string> Paths => [.. s_paths];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Another_machine_is_refused_while_no_authorization_is_required(string path)
    {
        await using Site site = await Site.StartAsync(remote: s_stranger);
        using HttpResponseMessage response = await site.Client.GetAsync($"kworker{path}");
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("RequireAuthorization", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_machine_is_refused_by_its_address_in_the_form_of_version_6_too_and_this_one_let_in()
    {
        await using (Site site = await Site.StartAsync(remote: s_stranger.MapToIPv6()))
            Assert.Equal(HttpStatusCode.Forbidden, await StatusOf(site, "kworker"));
        await using (Site site = await Site.StartAsync(remote: IPAddress.Loopback.MapToIPv6()))
            Assert.Equal(HttpStatusCode.OK, await StatusOf(site, "kworker"));
        await using (Site site = await Site.StartAsync(remote: IPAddress.IPv6Loopback))
            Assert.Equal(HttpStatusCode.OK, await StatusOf(site, "kworker"));
    }

    [Fact]
    public async Task With_authorization_whoever_has_it_may_see_it_from_anywhere_and_nobody_else()
    {
        await using Site site = await Site.StartAsync(isAuthorized: true, remote: s_stranger);
        foreach (string path in s_paths)
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusOf(site, $"kworker{path}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "kworker") { Headers = { { "X-User", "somebody" }, { "X-Forwarded-For", "203.0.113.1" } } };
        request.Headers.Host = "status.example";
        using HttpResponseMessage response = await site.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:8080", true)]
    [InlineData("kworker.localhost", true)]
    [InlineData("127.0.0.1:80", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("build-7", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("192.0.2.7", false)]
    public async Task Only_names_of_this_machine_are_answered_to(string host, bool isAnswered)
    {
        await using Site site = await Site.StartAsync(static options => options.AllowedHosts.Add("Build-7"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "kworker/state.json");
        request.Headers.Host = host;
        using HttpResponseMessage response = await site.Client.SendAsync(request);
        Assert.Equal(isAnswered ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("Forwarded")]
    [InlineData("X-Real-IP")]
    public async Task A_proxy_on_this_machine_is_not_this_machine(string header)
    {
        await using Site site = await Site.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "kworker") { Headers = { { header, "203.0.113.1" } } };
        using HttpResponseMessage response = await site.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task It_can_only_be_read()
    {
        await using Site site = await Site.StartAsync();
        foreach (HttpMethod method in new[] { HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch })
        {
            using var request = new HttpRequestMessage(method, "kworker");
            using HttpResponseMessage response = await site.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }

        using var head = new HttpRequestMessage(HttpMethod.Head, "kworker");
        using HttpResponseMessage answer = await site.Client.SendAsync(head);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_browser_is_told_to_take_nothing_from_elsewhere_and_needs_nothing()
    {
        await using Site site = await Site.StartAsync(static options => options.Sections.Add(static () => [Samples.EveryTone]));
        using HttpResponseMessage response = await site.Client.GetAsync("kworker");
        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(response.Headers.CacheControl!.NoStore);
        string html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotMatch(InlineCode(), html);
        foreach (Match link in Addresses().Matches(html))
            Assert.StartsWith("/kworker/", link.Groups[1].Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        await using Site site = await Site.StartAsync();
        using HttpResponseMessage first = await site.Client.GetAsync("kworker/page.js");
        using var request = new HttpRequestMessage(HttpMethod.Get, "kworker/page.js") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using HttpResponseMessage second = await site.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task More_than_so_many_open_pages_are_refused_and_one_that_is_closed_makes_room()
    {
        await using Site site = await Site.StartAsync(static options => options.MaxWatchers = 1);
        using (HttpResponseMessage first = await site.Client.GetAsync("kworker/events", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(new MediaTypeHeaderValue("text/event-stream"), first.Content.Headers.ContentType);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusOf(site, "kworker/events"));
        }

        // The server hears of the end when it writes next.
        HttpStatusCode status;
        do
        {
            using HttpResponseMessage next = await site.Client.GetAsync("kworker/events", HttpCompletionOption.ResponseHeadersRead);
            status = next.StatusCode;
        }
        while (status == HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task A_section_that_throws_is_told_of_and_takes_nothing_else_away()
    {
        await using Site site = await Site.StartAsync(static options => options.Sections.Add(static () => throw new InvalidOperationException("<no> section")));
        string html = await site.Client.GetStringAsync(new Uri("kworker", UriKind.Relative));
        Assert.Contains("InvalidOperationException: &lt;no&gt; section", html, StringComparison.Ordinal);
        Assert.Contains("id=\"queues\"", html, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusOf(Site site, string path)
    {
        using HttpResponseMessage response = await site.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }

    [GeneratedRegex("<style|<script(?![^>]* src=)| style=| on[a-z]+=|javascript:", RegexOptions.IgnoreCase)]
    private static partial Regex InlineCode();

    [GeneratedRegex("(?:src|href)=\"([^#\"?][^\"]*)\"")]
    private static partial Regex Addresses();
}
