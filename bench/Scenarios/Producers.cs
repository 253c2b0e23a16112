namespace Kworker.Bench.Scenarios;

/// <summary>Threads that exist before the clock starts and produce together when told to. The one that tells is the first of them.</summary>
internal sealed class Producers : IDisposable
{
    private readonly Thread[] _others;
    private readonly SemaphoreSlim[] _go;
    private volatile Action<int>? _produce;
    private volatile bool _isOver;

    internal Producers(int count)
    {
        _go = [.. Enumerable.Range(1, count - 1).Select(static _ => new SemaphoreSlim(0))];
        _others = [.. Enumerable.Range(1, count - 1).Select(i => new Thread(() => Run(i)) { IsBackground = true, Name = $"bench/producer-{i}" })];
        foreach (Thread thread in _others)
            thread.Start();
    }

    /// <summary>Runs <paramref name="produce"/> on all of them, with the number of each, and returns when this thread's share is produced.</summary>
    internal void Produce(Action<int> produce)
    {
        _produce = produce;
        foreach (SemaphoreSlim go in _go)
            go.Release();
        produce(0);
    }

    private void Run(int number)
    {
        while (true)
        {
            _go[number - 1].Wait();
            if (_isOver)
                return;
            _produce!(number);
        }
    }

    public void Dispose()
    {
        _isOver = true;
        foreach (SemaphoreSlim go in _go)
            go.Release();
        foreach (Thread thread in _others)
            thread.Join();
        foreach (SemaphoreSlim go in _go)
            go.Dispose();
    }
}
