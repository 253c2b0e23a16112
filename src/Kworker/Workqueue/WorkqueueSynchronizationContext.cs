using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Kworker;

/// <summary>
/// A workqueue as a synchronization context (<see cref="Workqueue.SynchronizationContext"/>): what is posted is an item each; what it awaits comes back here.
/// </summary>
[DebuggerDisplay("{_queue.Name,nq}")]
internal sealed class WorkqueueSynchronizationContext(Workqueue queue) : SynchronizationContext
{
    private readonly Workqueue _queue = queue;

    public override SynchronizationContext CreateCopy() => this;

    public override void Post(SendOrPostCallback d, object? state)
    {
        ArgumentNullException.ThrowIfNull(d);
        _queue.QueuePiece(new Posted(this, d, state));
    }

    /// <summary>Inside an item of the queue in its place, else in line; the caller gets what leaves it as an exception.</summary>
    public override void Send(SendOrPostCallback d, object? state)
    {
        ArgumentNullException.ThrowIfNull(d);
        if (_queue.IsCurrent)
        {
            d(state);
            return;
        }

        var sent = new Sent(this, d, state);
        _queue.QueuePiece(sent);
        sent.Wait();
    }

    private class Posted(WorkqueueSynchronizationContext context, SendOrPostCallback callback, object? state) : QueuedPiece
    {
        public override string WorkName => FunctionName.Of(callback);

        internal override void Run()
        {
            SynchronizationContext? before = Current;
            SetSynchronizationContext(context);
            try
            {
                callback(state);
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }

    private sealed class Sent(WorkqueueSynchronizationContext context, SendOrPostCallback callback, object? state) : Posted(context, callback, state)
    {
        private readonly Completion _done = new();
        private ExceptionDispatchInfo? _failure; // written before _done is completed

        internal override void Run()
        {
            try
            {
                base.Run();
            }
            catch (Exception e)
            {
                _failure = ExceptionDispatchInfo.Capture(e); // the sender's
            }

            _done.Complete();
        }

        internal void Wait()
        {
            _done.Wait();
            _failure?.Throw();
        }
    }
}
