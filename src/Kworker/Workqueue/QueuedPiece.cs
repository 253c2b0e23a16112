namespace Kworker;

/// <summary>What a view of a workqueue (a task scheduler, a synchronization context) was given to run.</summary>
internal abstract class QueuedPiece : INamedWork
{
    public abstract string WorkName { get; }

    internal abstract void Run();

    /// <summary>It as an item of the queue.</summary>
    internal Work ToWork() => new Work<QueuedPiece>(this, static piece => piece.Run());

    /// <summary>It as what belongs to no queue.</summary>
    internal DeferredItem ToContinuation() => new Continuation(this);

    private sealed class Continuation(QueuedPiece piece) : DeferredItem(ItemKind.Continuation)
    {
        internal override void Execute() => piece.Run();
    }
}
