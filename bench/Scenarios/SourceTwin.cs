using System.Threading.Tasks.Sources;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// The least that a wait asks for that can end by itself: each has an object of its own that is completed by itself and has its result taken. They stand in an array, and one pool
/// thread completes them one after another, in place. No line, no lock, no claim, no pooling.
/// </summary>
internal sealed class SourceTwin(int waiters)
{
    private readonly Source[] _sources = [.. Enumerable.Range(0, waiters).Select(static _ => new Source())];
    private int _count;

    internal ValueTask Wait() => new(_sources[_count++], 0);

    internal void Wake() => ThreadPool.UnsafeQueueUserWorkItem(
        static twin =>
        {
            foreach (Source source in twin._sources)
                source.End();
        },
        this,
        preferLocal: false);

    private sealed class Source : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;

        internal void End() => _core.SetResult(true);

        public void GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
