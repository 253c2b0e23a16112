namespace Kworker;

/// <summary>What a <see cref="DeferredItem"/> is.</summary>
internal enum ItemKind : byte
{
    /// <summary>No work item: a barrier, what has only a time.</summary>
    Other,

    /// <summary>What follows an await: a piece of an async run, or of something that a worker awaited outside of one.</summary>
    Continuation,

    /// <summary>A <see cref="Work"/> with a plain function.</summary>
    PlainWork,

    /// <summary>A <see cref="Work"/> with an async function.</summary>
    AsyncWork,
}
