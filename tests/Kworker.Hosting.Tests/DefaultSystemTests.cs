using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kworker.Hosting.Tests;

/// <summary>That the host's system is the default one.</summary>
[Collection(DefaultSystemTestsDefinition.Name)]
public sealed class DefaultSystemTests
{
    [Fact]
    public async Task The_last_host_has_the_default_system_and_nothing_escapes_it()
    {
        using IHost first = Build();
        await first.StartAsync();
        Assert.Same(first.Services.GetRequiredService<KworkerSystem>(), KworkerSystem.Default);
        using (IHost second = Build())
        {
            await second.StartAsync();
            Assert.Same(second.Services.GetRequiredService<KworkerSystem>(), KworkerSystem.Default);
            var go = new Completion();
            bool hasRun = false;
            new Work<object?>(null, async (_, _) =>
            {
                await go.WaitAsync();
                hasRun = true;
            }).Schedule(); // on no queue of the host's
            Task stopping = second.StopAsync();
            go.Complete();
            await stopping;
            Assert.True(hasRun);
        }

        Assert.Same(first.Services.GetRequiredService<KworkerSystem>(), KworkerSystem.Default);
        await first.StopAsync();
        Assert.ThrowsAny<InvalidOperationException>(() => new Work<object?>(null, static _ => { }).Schedule());
    }

    private static IHost Build()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddKworker();
        return builder.Build();
    }
}
