using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kworker.Hosting.Tests.Guide;

/// <summary>The pieces of docs/hosting.md in a web application that is asked over the network.</summary>
[Collection(DefaultSystemTestsDefinition.Name)]
public sealed class WebApplicationTests
{
    [Fact]
    public async Task Every_order_is_confirmed_before_the_application_ends()
    {
        const int Orders = 50;
        var post = new PostOffice();
        await using WebApplication app = Build(post);
        // guide: background
        app.MapPost("/orders", static async (Order order, IBackgroundQueue background) =>
        {
            await background.QueueAsync((Mailer mailer, CancellationToken token) => mailer.ConfirmAsync(order, token));
            return Results.Accepted();
        });
        // guide end
        app.MapHealthChecks("/health");
        await app.StartAsync();
        using (var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) })
        {
            Assert.Equal("Healthy", await client.GetStringAsync(new Uri("/health", UriKind.Relative)));
            for (int i = 0; i < Orders; i++)
                Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/orders", new Order(i))).StatusCode);
        }

        Assert.Empty(post.Sent);
        Task stopping = app.StopAsync();
        post.Open.CompleteAll();
        await stopping;
        Assert.Equal(Enumerable.Range(0, Orders).Select(static i => $"order {i}").Order(), post.Sent.Order());
    }

    [Fact]
    public async Task All_parts_are_there()
    {
        var post = new PostOffice();
        post.Open.CompleteAll();
        await using WebApplication app = Build(post);
        await app.StartAsync();
        KworkerSystem system = app.Services.GetRequiredService<KworkerSystem>();
        ActivatorUtilities.CreateInstance<Editor>(app.Services).Publish();
        await system.WhenIdleAsync();
        Assert.Equal(["ann", "bob"], post.Sent);
        Importer importer = ActivatorUtilities.CreateInstance<Importer>(app.Services);
        await importer.ImportAsync(async () =>
        {
            await Task.Yield();
            Assert.NotNull(Work.Current);
        });
        importer.Remind(new Subscriber());
        ActivatorUtilities.CreateInstance<Editor>(app.Services).Changed();
        Assert.Equal(2, system.Snapshot().Workqueues.Single(static queue => queue.Name == "emails").Delayed.Count);
        Assert.Contains(system.Snapshot().Kthreads, static kthread => kthread.Name == "inbox-reader");
        await app.StopAsync();
    }

    private static WebApplication Build(PostOffice post)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(post).AddSingleton<Subscribers>().AddSingleton<Inbox>().AddSingleton<Disk>().AddScoped<Mailer>();
        // guide: add
        builder.Services.AddKworker()
            .AddWorkqueue("emails", static options => options.MaxActive = 4)
            .AddWork<Newsletter>("emails")
            .AddPeriodicWork<Cleanup>(TimeSpan.FromMinutes(5))
            .AddKthread<Inbox>("inbox-reader", static inbox => inbox.ReadAsync())
            .WithOpenTelemetry();
        builder.Services.AddHealthChecks().AddKworker();
        // guide end
        // guide: bound
        builder.Services.AddKworker().AddBackgroundQueue(static options =>
        {
            options.MaxActive = 8;
            options.Capacity = 1000;
            options.FullMode = BackgroundQueueFullMode.Wait;
        });
        // guide end
        return builder.Build();
    }

    // guide: scoped-work
    public sealed class Newsletter(Subscribers subscribers, Mailer mailer) : IScopedWork
    {
        public async Task ExecuteAsync(CancellationToken cancellationToken)
        {
            foreach (string address in subscribers.All)
                await mailer.SendAsync(address, cancellationToken);
        }
    }

    public sealed class Editor(ScopedWork<Newsletter> newsletter)
    {
        public void Publish() => newsletter.Queue();

        public void Changed() => newsletter.Modify(TimeSpan.FromMinutes(10)); // ten minutes after the last change
    }
    // guide end

    // guide: named
    public sealed class Importer([FromKeyedServices("emails")] Workqueue emails)
    {
        public Task ImportAsync(Func<Task> legacy) =>
            Task.Factory.StartNew(legacy, CancellationToken.None, TaskCreationOptions.None, emails.TaskScheduler).Unwrap();

        public void Remind(Subscriber subscriber) =>
            emails.Queue(new DelayedWork<Subscriber>(subscriber, static subscriber => subscriber.Remind()), TimeSpan.FromDays(1));
    }
    // guide end

    public sealed record Order(int Number);

    public sealed class PostOffice
    {
        public Completion Open { get; } = new();

        public ConcurrentQueue<string> Sent { get; } = new();
    }

    public sealed class Mailer(PostOffice post)
    {
        public Task ConfirmAsync(Order order, CancellationToken cancellationToken) => SendAsync($"order {order.Number}", cancellationToken);

        public async Task SendAsync(string what, CancellationToken cancellationToken)
        {
            await post.Open.WaitAsync(cancellationToken);
            post.Sent.Enqueue(what);
        }
    }

    public sealed class Subscribers
    {
        public IReadOnlyList<string> All { get; } = ["ann", "bob"];
    }

    public sealed class Subscriber
    {
        public bool IsReminded { get; private set; }

        public void Remind() => IsReminded = true;
    }

    public sealed class Inbox
    {
        private readonly WaitQueue _letters = new();

        public async ValueTask<int> ReadAsync()
        {
            await _letters.WaitEventAsync(static () => Kthread.ShouldStop);
            return 0;
        }
    }

    public sealed class Disk
    {
        public int Cleaned { get; set; }
    }

    public sealed class Cleanup(Disk disk) : IScopedWork
    {
        public Task ExecuteAsync(CancellationToken cancellationToken)
        {
            disk.Cleaned++;
            return Task.CompletedTask;
        }
    }
}
