using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting.Tests;

public sealed class OptionsTests
{
    [Fact]
    public async Task Workqueues_are_injected_by_name_with_their_options()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker
            .AddWorkqueue("emails", static options => options.MaxActive = 4)
            .AddWorkqueue("journal", static options => options.Ordered = true)
            .AddWorkqueue("emails", static options => options.Unbound = true));
        Workqueue emails = host.Workqueue("emails");
        Assert.Same(emails, host.Workqueue("emails"));
        Assert.Equal("emails", emails.Name);
        Assert.Equal(4, emails.MaxActive);
        Assert.Equal(1, host.Workqueue("journal").MaxActive);
        WorkqueueSnapshot seen = host.System.Snapshot().Workqueues.Single(static queue => queue.Name == "emails");
        Assert.Equal("WQ_UNBOUND", seen.Flags);
    }

    [Fact]
    public async Task The_configuration_has_the_last_word()
    {
        await using TestHost host = await TestHost.StartAsync(
            static kworker => kworker.AddWorkqueue("emails", static options => options.MaxActive = 4).AddBackgroundQueue(static options => options.Capacity = 5),
            ("Kworker:LongItemLimit", "00:00:07"),
            ("Kworker:Workqueues:emails:MaxActive", "9"),
            ("Kworker:BackgroundQueues:background:Capacity", "6"),
            ("Kworker:BackgroundQueues:background:FullMode", "dropoldest"));
        Assert.Equal(9, host.Workqueue("emails").MaxActive);
        Assert.Equal(TimeSpan.FromSeconds(7), host.Services.GetRequiredService<IOptions<KworkerHostOptions>>().Value.LongItemLimit);
        BackgroundQueueOptions background = host.Services.GetRequiredService<IOptionsMonitor<BackgroundQueueOptions>>().Get("background");
        Assert.Equal((6, BackgroundQueueFullMode.DropOldest), (background.Capacity, background.FullMode));
    }

    [Theory]
    [InlineData("Kworker:Workqueues:emails:MaxActive", "0", "at least 1")]
    [InlineData("Kworker:Workqueues:emails:MaxActve", "4", "MaxActve")]
    [InlineData("Kworker:Workqueues:emails:MaxActive", "many", "many")]
    [InlineData("Kworker:Workqueues:emials:MaxActive", "4", "Kworker:Workqueues:emials is about nothing")]
    [InlineData("Kworker:Workques:emails:MaxActive", "4", "Kworker:Workques means nothing")]
    [InlineData("Kworker:PoolStallLimit", "00:00:00", "PoolStallLimit")]
    [InlineData("Kworker:ShutdownGrace", "00:11:00", "ShutdownTimeout")]
    [InlineData("Kworker:BackgroundQueues:background:Capacity", "-1", "negative")]
    [InlineData("Kworker:BackgroundQueues:background:FullMode", "7", "FullMode")]
    [InlineData("Kworker:PeriodicWorks:Cleaning:Interval", "00:00:00", "positive")]
    public async Task What_is_wrong_in_the_configuration_fails_the_start(string key, string value, string expected)
    {
        TestHost host = TestHost.Build(
            static kworker => kworker.AddWorkqueue("emails").AddPeriodicWork<Cleaning>(TimeSpan.FromMinutes(1)), (key, value));
        Exception e = await Assert.ThrowsAnyAsync<Exception>(host.StartAsync);
        Assert.Contains(expected, e.ToString(), StringComparison.Ordinal);
        await host.DisposeAsync();
    }

    [Fact]
    public void What_is_wrong_in_code_is_found_too()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddKworker().AddWorkqueue("odd", static options => (options.HighPriority, options.Ordered) = (true, true));
        using ServiceProvider provider = services.BuildServiceProvider(); // and there is no configuration
        Assert.Contains("HighPriority", Assert.Throws<OptionsValidationException>(() => provider.GetRequiredKeyedService<Workqueue>("odd")).Message, StringComparison.Ordinal);
    }

    private sealed class Cleaning : IScopedWork
    {
        public Task ExecuteAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
