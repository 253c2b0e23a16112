using System.Diagnostics;
using System.Globalization;

namespace Kworker.StatePage;

/// <summary>
/// Takes looks at a system: one for all who ask within half an interval. Nothing runs between looks: a page that nobody has open costs nothing. It depends on none of the system's
/// pools and timers, for it must tell of them when they stand still. Thread-safe.
/// </summary>
internal sealed class StateReader(StatePageOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Trends _trends = new(); // _lock
    private StateDocument? _last; // _lock
    private long _lastAt; // _lock; timestamp of _last
    private int _watchers; // _lock
    private IDisposable? _measurement; // _lock; while somebody watches, or always

    public StatePageOptions Options => options;

    public TimeProvider Time => time;

    /// <summary>Open pages are let go: the web server waits for them otherwise when it stops.</summary>
    public CancellationToken Stopping { get; init; }

    private KworkerSystem System => options.System ?? KworkerSystem.Default;

    /// <summary>How it stands.</summary>
    public StateDocument Read()
    {
        lock (_lock)
        {
            Measure();
            if (_last is not null && time.GetElapsedTime(_lastAt) < options.Interval / 2)
                return _last;
            _lastAt = time.GetTimestamp();
            return _last = Look();
        }
    }

    /// <summary>What the metrics have beside the meters.</summary>
    public KworkerSnapshot ReadForMetrics()
    {
        lock (_lock)
            Measure();
        return System.Snapshot(0);
    }

    /// <summary>Somebody looks all the time, until what is returned is disposed of; null when there are too many.</summary>
    public IDisposable? Watch()
    {
        lock (_lock)
        {
            if (_watchers >= options.MaxWatchers)
                return null;
            _watchers++;
            Measure();
        }

        return new Watcher(this);
    }

    /// <summary>Latencies are measured while somebody watches.</summary>
    private void Measure()
    {
        if (_watchers > 0 || options.AlwaysMeasureLatencies)
        {
            _measurement ??= KworkerSystem.MeasureLatencies();
        }
        else
        {
            _measurement?.Dispose();
            _measurement = null;
        }
    }

    private void Unwatch()
    {
        lock (_lock)
        {
            _watchers--;
            Measure();
        }
    }

    private StateDocument Look()
    {
        DateTimeOffset now = time.GetUtcNow();
        _trends.Begin(now);
        KworkerSnapshot snapshot = System.Snapshot(options.MaxItems);
        var sections = new KworkerSections(snapshot, _trends, options.MaxItems);
        return new StateDocument
        {
            Title = options.Title ?? AppDomain.CurrentDomain.FriendlyName,
            Subtitle = string.Create(CultureInfo.InvariantCulture,
                $"{Environment.MachineName} · process {Environment.ProcessId} · up {StateText.Of(DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime())}"),
            Time = now,
            Tiles = sections.Tiles(),
            Sections = [.. options.Sections.SelectMany(Ask), .. sections.All()],
        };
    }

    private static IEnumerable<StateSection> Ask(Func<IEnumerable<StateSection>> source, int index)
    {
        try
        {
            return [.. source()];
        }
        catch (Exception e)
        {
            // The program's own: what it throws is told to the one who looks, and takes nothing else away.
            return [new StateSection($"failed-{index}", "A section that failed") { Note = $"{e.GetType().Name}: {e.Message}" }];
        }
    }

    private sealed class Watcher(StateReader reader) : IDisposable
    {
        private int _isOver; // 0 → 1 once

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
                reader.Unwatch();
        }
    }
}
