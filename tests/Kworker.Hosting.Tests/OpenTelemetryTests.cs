using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Kworker.Hosting.Tests;

/// <summary>One call, and OpenTelemetry's exporters have the works as spans of who queued them, and the figures.</summary>
public sealed class OpenTelemetryTests
{
    [Fact]
    public async Task Works_are_spans_of_what_queued_them_also_those_that_waited_for_room()
    {
        using var source = new ActivitySource("Kworker.Hosting.Tests");
        var spans = new List<Activity>();
        var metrics = new List<Metric>();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddOpenTelemetry()
            .WithTracing(tracing => tracing.AddSource(source.Name).AddInMemoryExporter(spans))
            .WithMetrics(meters => meters.AddInMemoryExporter(metrics));
        builder.Services.AddKworker(static options => options.ReplaceDefault = false)
            .AddBackgroundQueue("mail", static options => (options.MaxActive, options.Capacity) = (1, 0))
            .WithOpenTelemetry();
        using IHost host = builder.Build();
        await host.StartAsync();
        IBackgroundQueue mail = host.Services.GetRequiredKeyedService<IBackgroundQueue>("mail");
        var begun = new Completion();
        var go = new Completion();
        using (source.StartActivity("first request"))
        {
            await mail.QueueAsync(
                async _ =>
                {
                    begun.Complete();
                    await go.WaitAsync();
                },
                "first mail");
            await begun.WaitAsync();
        }

        using (source.StartActivity("second request"))
        {
            Task waiting = mail.QueueAsync(static _ => throw new IOException("no such mailbox"), "second mail").AsTask();
            go.Complete();
            await waiting;
        }

        await host.Services.GetRequiredService<KworkerSystem>().WhenIdleAsync();
        host.Services.GetRequiredService<TracerProvider>().ForceFlush();
        host.Services.GetRequiredService<MeterProvider>().ForceFlush();

        foreach (string which in (string[])["first", "second"])
        {
            Activity request = spans.Single(span => span.DisplayName == $"{which} request");
            Activity work = spans.Single(span => span.DisplayName == $"{which} mail");
            Assert.Equal((request.TraceId, request.SpanId), (work.TraceId, work.ParentSpanId));
            Assert.Equal("mail", work.GetTagItem("kworker.workqueue"));
            Assert.Equal(which == "second" ? ActivityStatusCode.Error : ActivityStatusCode.Unset, work.Status);
        }

        Assert.Contains(metrics, static metric => metric is { MeterName: "Kworker", Name: "kworker.work.executed" });
        await host.StopAsync();
    }
}
