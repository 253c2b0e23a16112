using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Kworker.StatePage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd.Page;

/// <summary>Serves the state page by HTTP. With a password it is asked of everybody (Basic: user <c>nfsd</c>); without one only this machine is let in.</summary>
internal sealed class PageServer : IAsyncDisposable
{
    private const string User = "nfsd";

    private readonly WebApplication _application;

    private PageServer(WebApplication application) => _application = application;

    /// <summary>Where it is.</summary>
    public string Address => _application.Urls.First();

    /// <exception cref="StartupException">It cannot be served there.</exception>
    public static async Task<PageServer> StartAsync(HttpEndPoint endPoint, StatePageOptions options, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>(); // signals are the daemon's
        builder.Services.AddSingleton(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(endPoint.Address, endPoint.Port);
        });
        WebApplication application = builder.Build();
        if (endPoint.Password is { } password)
        {
            options.IsGuarded = true;
            byte[] wanted = SHA256.HashData(Encoding.UTF8.GetBytes($"{User}:{password}"));
            application.Use((context, next) => IsAuthorized(context, wanted) ? next(context) : RefuseAsync(context));
        }

        application.UseRouting();
        StateReader reader = new(options, TimeProvider.System) { Stopping = application.Lifetime.ApplicationStopping };
        KworkerEndpoints.Map(application, "/", reader);
        try
        {
            await application.StartAsync();
            return new PageServer(application);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            await application.DisposeAsync();
            throw new StartupException($"the state page cannot be served on {new IPEndPoint(endPoint.Address, endPoint.Port)}: {exception.Message.TrimEnd('.')}. Choose another port with --http.", innerException: exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
    }

    private static bool IsAuthorized(HttpContext context, byte[] wanted)
    {
        const string Scheme = "Basic ";
        string given = context.Request.Headers.Authorization.ToString();
        var bytes = new byte[given.Length];
        return given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(given[Scheme.Length..].Trim(), bytes, out int length)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(bytes.AsSpan(0, length)), wanted);
    }

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"nfsd\", charset=\"UTF-8\"";
        return context.Response.WriteAsync("The password is that of --http-password-file, the user nfsd.\n", context.RequestAborted);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
