using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Hosting.Tests;

/// <summary>A host with Kworker in it, a clock that the test moves, and its log.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _isStarted;

    private TestHost(IHost host, FakeTimeProvider time, TestLog log)
    {
        _host = host;
        Time = time;
        Log = log;
    }

    public FakeTimeProvider Time { get; }

    public TestLog Log { get; }

    public IServiceProvider Services => _host.Services;

    public KworkerSystem System => Services.GetRequiredService<KworkerSystem>();

    public IBackgroundQueue Background => Services.GetRequiredService<IBackgroundQueue>();

    public IHostApplicationLifetime Lifetime => Services.GetRequiredService<IHostApplicationLifetime>();

    /// <param name="configure">What it has.</param>
    /// <param name="settings">Its configuration.</param>
    public static TestHost Build(Action<KworkerBuilder>? configure = null, params (string Key, string Value)[] settings)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var log = new TestLog();
        var time = new FakeTimeProvider();
        builder.Configuration.AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Logging.AddProvider(log);
        builder.Services.AddSingleton<TimeProvider>(time);
        // Of the machine's own clock: longer than any test, unless the test cuts it.
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(10));
        // Other tests have hosts meanwhile: those that are about the default say so.
        KworkerBuilder kworker = builder.Services.AddKworker(static options => options.ReplaceDefault = false);
        configure?.Invoke(kworker);
        return new TestHost(builder.Build(), time, log);
    }

    public static async Task<TestHost> StartAsync(Action<KworkerBuilder>? configure = null, params (string Key, string Value)[] settings)
    {
        TestHost host = Build(configure, settings);
        await host.StartAsync();
        return host;
    }

    public Workqueue Workqueue(string name) => Services.GetRequiredKeyedService<Workqueue>(name);

    public async Task StartAsync()
    {
        await _host.StartAsync();
        _isStarted = true;
    }

    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_isStarted) // a host that could not start cannot stop either
            await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
