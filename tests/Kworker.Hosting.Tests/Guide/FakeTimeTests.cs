using Kworker.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using static Kworker.Hosting.Tests.Guide.WebApplicationTests;

namespace Kworker.Hosting.Tests.Guide;

[Collection(DefaultSystemTestsDefinition.Name)]
public sealed class FakeTimeTests
{
    // guide: test
    [Fact]
    public async Task It_cleans_up_every_five_minutes()
    {
        var time = new FakeTimeProvider();
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton<TimeProvider>(time).AddSingleton<Disk>();
        builder.Services.AddKworker().AddPeriodicWork<Cleanup>(TimeSpan.FromMinutes(5));
        using IHost host = builder.Build();
        await host.StartAsync();
        await host.Services.GetRequiredService<KworkerSystem>().AdvanceAsync(time, TimeSpan.FromHours(1));
        Assert.Equal(12, host.Services.GetRequiredService<Disk>().Cleaned);
        await host.StopAsync();
    }
    // guide end
}
