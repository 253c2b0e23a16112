using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kworker.StatePage;

/// <summary>Maps the state page and the metrics.</summary>
public static class KworkerEndpoints
{
    /// <summary>
    /// Serves the state page under a path: pools, queues, items, timers, kthreads, helpers and the watchdog's findings, live; the same as JSON (<c>/state.json</c>) and as Prometheus'
    /// text (<c>/metrics</c>). It can only be read. The system is that of <see cref="StatePageOptions.System"/>, else the one among the application's services, else
    /// <see cref="KworkerSystem.Default"/>.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The path.</param>
    /// <param name="configure">How.</param>
    /// <returns>
    /// For conventions. Without <c>RequireAuthorization</c> on it the page is shown to this machine alone, asked for by a name of this machine: all others get 403.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static IEndpointConventionBuilder MapKworker(this IEndpointRouteBuilder endpoints, string pattern = "/kworker", Action<StatePageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var options = new StatePageOptions();
        configure?.Invoke(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Interval, TimeSpan.FromMilliseconds(50), nameof(options.Interval));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxRows, nameof(options.MaxRows));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxItems, nameof(options.MaxItems));
        options.System ??= endpoints.ServiceProvider.GetService<KworkerSystem>();
        var reader = new StateReader(options, TimeProvider.System)
        {
            Stopping = endpoints.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None,
        };
        return Map(endpoints, pattern, reader);
    }

    internal static IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, string pattern, StateReader reader)
    {
        var page = new PageHandlers(reader);
        RouteGroupBuilder group = endpoints.MapGroup(pattern);
        Add("/", page.PageAsync);
        Add("/state.json", page.JsonAsync);
        Add("/events", page.EventsAsync);
        Add("/metrics", page.MetricsAsync);
        foreach ((string name, string type) in PageAssets.Types)
            Add($"/{name}", context => PageHandlers.AssetAsync(context, name, type));
        return group;

        void Add(string path, RequestDelegate handle) =>
            group.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)(context => page.GuardAsync(context, handle))).ExcludeFromDescription();
    }
}
