using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kworker.StatePage.Tests;

/// <summary>What machines read: Prometheus' text and JSON.</summary>
public sealed partial class MetricsTests
{
    [Fact]
    public async Task Metrics_are_in_prometheus_format_line_for_line()
    {
        await using Site site = await Site.StartAsync(static options => options.AlwaysMeasureLatencies = true);
        await using var scene = new Scene(site.System);
        using HttpResponseMessage first = await site.Client.GetAsync("kworker/metrics"); // from here on latencies are measured
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", first.Content.Headers.ContentType!.ToString());
        string queueName = $"a \"queue\"\n\\{Guid.NewGuid():N}";
        Workqueue queue = scene.Queue(queueName, new() { MaxActive = 1 });
        scene.Run(queue, 1);
        scene.Wait(queue, 3);
        scene.End();
        await queue.FlushAsync();
        string text = await site.Client.GetStringAsync(new Uri("kworker/metrics", UriKind.Relative));
        Dictionary<string, double> series = Parse(text);
        string label = $"kworker_workqueue=\"{queueName.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
        Assert.Equal(4, series[$"kworker_work_queued_total{{{label}}}"]);
        Assert.Equal(0, series[$"kworker_queue_unfinished{{{label}}}"]);
        // Each is measured, but for one whose place in the table another item of this process has.
        Assert.InRange(series[$"kworker_queue_run_seconds_count{{{label}}}"], 1, 4);
        Assert.Equal(series[$"kworker_queue_run_seconds_count{{{label}}}"], series[$"kworker_queue_run_seconds_bucket{{{label},le=\"+Inf\"}}"]);
    }

    [Fact]
    public async Task Instruments_of_other_meters_are_there_when_they_are_asked_for()
    {
        string name = $"Test.{Guid.NewGuid():N}";
        using var meter = new Meter(name);
        meter.CreateObservableGauge("test.temperature", static () => 21.5, "Cel", "How warm it is,\nin here.");
        await using Site site = await Site.StartAsync(options => options.Meters.Add(name));
        string text = await site.Client.GetStringAsync(new Uri("kworker/metrics", UriKind.Relative));
        Assert.Contains("# HELP test_temperature How warm it is,\\nin here.\n# TYPE test_temperature gauge\ntest_temperature 21.5\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_is_there_as_json()
    {
        await using Site site = await Site.StartAsync(static options => options.Sections.Add(static () => [Samples.EveryTone]));
        await using var scene = new Scene(site.System);
        Workqueue mail = scene.Queue("mail", new() { MaxActive = 1 });
        scene.Run(mail, 1);
        scene.Wait(mail, 2);
        string json = await site.Client.GetStringAsync(new Uri("kworker/state.json", UriKind.Relative));
        StateDocument document = JsonSerializer.Deserialize(json, StateJson.Default.StateDocument)!;
        Assert.Equal("A program", document.Title);
        Assert.Equal("tones", document.Sections[0].Id);
        StateTable queues = document.Sections.Single(static section => section.Id == "queues").Tables[0];
        Assert.Equal(["mail", "full", "1", "2"], queues.Rows.Single(static row => row.Key == "mail").Cells.Take(4).Select(static cell => cell.Text));
        Assert.Contains(StateTone.Bad, document.Sections[0].Tables[0].Rows.Select(static row => row.Cells[1].Tone));
    }

    private static Dictionary<string, double> Parse(string text)
    {
        var series = new Dictionary<string, double>();
        string family = "";
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Head().Match(line) is { Success: true } head)
            {
                if (head.Groups[1].Value == "TYPE")
                    Assert.Equal(family, head.Groups[2].Value);
                family = head.Groups[2].Value;
                continue;
            }

            Match sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            Assert.StartsWith(family, sample.Groups[1].Value, StringComparison.Ordinal);
            series.Add(sample.Groups[1].Value + sample.Groups[2].Value, double.Parse(sample.Groups[3].Value, CultureInfo.InvariantCulture));
        }

        return series;
    }

    [GeneratedRegex(@"^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .+$")]
    private static partial Regex Head();

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*=""(?:[^""\\]|\\[\\""n])*""(?:,[a-zA-Z_][a-zA-Z0-9_]*=""(?:[^""\\]|\\[\\""n])*"")*\})? (\S+)$")]
    private static partial Regex Sample();
}
