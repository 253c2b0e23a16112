namespace Kworker.StatePage.Tests;

/// <summary>A system in the middle of things, in a known state: everybody stands where it says until <see cref="End"/>.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly Completion _end = new();
    private readonly Completion _begun = new();
    private readonly List<Workqueue> _queues = [];
    private readonly KworkerSystem _system;

    public Scene(KworkerSystem system) => _system = system;

    public Workqueue Queue(string name, WorkqueueOptions? options = null)
    {
        var queue = new Workqueue(name, options, _system);
        _queues.Add(queue);
        return queue;
    }

    /// <summary>Items that run until the end; returns when they have begun.</summary>
    public void Run(Workqueue queue, int count)
    {
        for (int i = 0; i < count; i++)
            queue.Queue(new Work<Scene>(this, static scene => scene.Hold()));
        for (int i = 0; i < count; i++)
            _begun.Wait();
    }

    /// <summary>Items that stand behind those that run.</summary>
    public void Wait(Workqueue queue, int count)
    {
        for (int i = 0; i < count; i++)
            queue.Queue(new Work<Scene>(this, static scene => scene.Pass()));
    }

    public void Delay(Workqueue queue, TimeSpan delay) => queue.Queue(new DelayedWork<Scene>(this, static scene => scene.Pass()), delay);

    public void End() => _end.CompleteAll();

    public async ValueTask DisposeAsync()
    {
        End();
        foreach (Workqueue queue in _queues)
            await queue.DisposeAsync();
    }

    private void Hold()
    {
        _begun.Complete();
        _end.Wait();
    }

    private void Pass() => _ = _queues.Count;
}
