namespace Kworker;

/// <summary>
/// Runs an async function on the calling kthread: what follows its awaits is posted here and run by that thread, one after another.
/// </summary>
internal sealed class KthreadContext : SynchronizationContext
{
    private readonly Parker _parker = Parker.Current;
    private readonly Lock _lock = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new(); // under _lock

    internal static int Run(Func<ValueTask<int>> function)
    {
        var context = new KthreadContext();
        SynchronizationContext? previous = Current;
        SetSynchronizationContext(context);
        try
        {
            Task<int> running = Await(function).AsTask();
            while (!running.IsCompleted)
                context.RunOne();
            return running.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(previous);
        }
    }

    /// <summary>Awaits in the context: wherever the function ends, its end is posted here, and so the loop sees it.</summary>
    private static async ValueTask<int> Await(Func<ValueTask<int>> function) => await function();

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_lock)
            _posted.Enqueue((d, state));
        _parker.Unpark();
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (ReferenceEquals(_parker, Parker.Current))
        {
            d(state);
            return;
        }

        var done = new Completion();
        Post(_ =>
        {
            try
            {
                d(state);
            }
            finally
            {
                done.Complete();
            }
        }, null);
        done.Wait();
    }

    /// <summary>Runs what was posted first, or parks. Post puts its entry before it unparks, and the token is kept.</summary>
    private void RunOne()
    {
        (SendOrPostCallback Callback, object? State) next;
        bool any;
        lock (_lock)
            any = _posted.TryDequeue(out next);
        if (any)
            next.Callback(next.State);
        else
            _parker.Park();
    }
}
