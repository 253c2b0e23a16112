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
            ValueTask<int> task = function();
            if (task.IsCompleted)
                return task.Result;
            Task<int> running = task.AsTask();
            // The function may end elsewhere (ConfigureAwait(false)): then this wakes the loop.
            running.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() => context.Post(static _ => { }, null));
            while (!running.IsCompleted)
                context.RunOne();
            return running.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(previous);
        }
    }

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
