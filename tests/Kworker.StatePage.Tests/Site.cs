using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kworker.StatePage.Tests;

/// <summary>A program with a state page on a free port of this machine, and a system of its own to show.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Site(WebApplication application, KworkerSystem system)
    {
        _application = application;
        System = system;
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(application.Urls.First()) };
    }

    public KworkerSystem System { get; }

    public HttpClient Client { get; }

    public string Address => $"{Client.BaseAddress}kworker";

    /// <summary>Starts one.</summary>
    /// <param name="configure">How the page is to be.</param>
    /// <param name="isAuthorized">Whether authorization is required, which the header <c>X-User</c> gives.</param>
    /// <param name="remote">Where all requests are to seem to come from.</param>
    public static async Task<Site> StartAsync(Action<StatePageOptions>? configure = null, bool isAuthorized = false, IPAddress? remote = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        if (isAuthorized)
        {
            builder.Services.AddAuthentication(HeaderAuthentication.Scheme).AddScheme<Microsoft.AspNetCore.Authentication.AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Scheme, null);
            builder.Services.AddAuthorization();
        }

        WebApplication application = builder.Build();
        application.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = remote ?? context.Connection.RemoteIpAddress;
            return next(context);
        });
        if (isAuthorized)
            application.UseAuthentication().UseAuthorization();
        IEndpointConventionBuilder page = application.MapKworker("/kworker", options =>
        {
            options.System = system;
            options.Title = "A program";
            options.Interval = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(options);
        });
        if (isAuthorized)
            page.RequireAuthorization();
        application.MapGet("/", static () => Results.Text("home"));
        await application.StartAsync();
        return new Site(application, system);
    }

    public Task StopAsync() => _application.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync();
        await System.DisposeAsync();
    }
}
