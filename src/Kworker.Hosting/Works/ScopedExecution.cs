using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting;

/// <summary>One execution of a work, in a scope of its own.</summary>
internal static class ScopedExecution
{
    internal static async ValueTask RunAsync<TWork>(IServiceScopeFactory scopes, CancellationToken cancellationToken)
        where TWork : class, IScopedWork
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<TWork>().ExecuteAsync(cancellationToken);
    }
}
